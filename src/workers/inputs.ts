/** What a configuration depends on beside its own text, recorded once so that all workers get the same. */
import type { LoadOptions, TextCache } from "../runtime/load.ts";

/** The variables and files that a configuration has read. */
export interface Inputs {
  /** Variables that are set. */
  readonly env: readonly (readonly [name: string, value: string])[];
  readonly files: readonly (readonly [path: string, text: string])[];
}

type Readers = Required<Pick<LoadOptions, "env" | "readFile">>;

/** Records everything that is read through it. */
export class InputRecorder implements Readers {
  readonly #options: LoadOptions;
  readonly #env = new Map<string, string>();
  readonly #files = new Map<string, string>();

  /** Reads with the functions of `options`. */
  constructor(options: LoadOptions) {
    this.#options = options;
  }

  /** What has been read so far. */
  get inputs(): Inputs {
    return { env: [...this.#env], files: [...this.#files] };
  }

  readonly env = (name: string): string | undefined => {
    const value = this.#options.env?.(name);
    if (value !== undefined) this.#env.set(name, value);
    return value;
  };

  readonly readFile = async (path: string): Promise<string> => {
    // A file that is named twice must have the same text twice.
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

/** Reads only what was recorded. */
export function replay({ env, files }: Inputs): Readers {
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

/** A key of a cache and its text. */
export type CachedText = readonly [key: string, text: string];

/** A cache of parsed texts that can be sent to another process. */
export class MemoryTextCache implements TextCache {
  readonly #texts: Map<string, string>;
  readonly #fallback: TextCache | undefined;

  /** Begins with `texts`; reads what is missing from `fallback`, and writes to both. */
  constructor(texts: readonly CachedText[] = [], fallback?: TextCache) {
    this.#texts = new Map(texts);
    this.#fallback = fallback;
  }

  /** All texts that have been read or written. */
  get texts(): readonly CachedText[] {
    return [...this.#texts];
  }

  async read(key: string): Promise<string | undefined> {
    const text = this.#texts.get(key) ?? await this.#fallback?.read(key);
    if (text !== undefined) this.#texts.set(key, text);
    return text;
  }

  async write(key: string, text: string): Promise<void> {
    this.#texts.set(key, text);
    await this.#fallback?.write(key, text);
  }
}
