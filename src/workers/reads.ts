/** What a configuration reads beside its texts, which every worker is to see as it was at the start. */
import type { LoadOptions } from "../runtime/load.ts";

/** The variables and files that a configuration has read. */
export interface Reads {
  /** Those that are set. */
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly files: readonly (readonly [path: string, text: string])[];
}

/** The options that read. */
type Readers = Required<Pick<LoadOptions, "env" | "readFile">>;

/** Notes all that is read through it. */
export class Recorder implements Readers {
  readonly #options: LoadOptions;
  readonly #env = new Map<string, string>();
  readonly #files = new Map<string, string>();

  /** Reads with what `options` have. */
  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** What has been read until now. */
  get reads(): Reads {
    return { env: [...this.#env], files: [...this.#files] };
  }

  readonly env = (name: string): string | undefined => {
    const value = this.#options.env?.(name);
    if (value !== undefined) this.#env.set(name, value);
    return value;
  };

  readonly readFile = async (path: string): Promise<string> => {
    // A file that is named twice is the same file.
    const known = this.#files.get(path);
    if (known !== undefined) return known;
    if (this.#options.readFile === undefined) {
      throw new Error("there is nothing to read files with");
    }
    const text = await this.#options.readFile(path);
    this.#files.set(path, text);
    return text;
  };
}

/** Reads what was recorded, and nothing else. */
export function replay({ env, files }: Reads): Readers {
  const variables = new Map(env);
  const texts = new Map(files);
  return {
    env: (name) => variables.get(name),
    readFile(path) {
      const text = texts.get(path);
      if (text === undefined) throw new Error(`${path} was not read when the service started`);
      return text;
    },
  };
}
