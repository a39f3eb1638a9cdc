/** The names in `type` blocks: of kinds, and of the types of the configuration. */
import { didYouMean } from "../base/nearest.ts";
import type { Call } from "../hcl/tree.ts";
import { isOptions, type Place } from "./type-options.ts";

const KINDS: readonly string[] = [
  ...["string", "number", "integer", "boolean", "id"],
  ...["object", "array", "one_of"],
];

/** What other languages call them. */
const FOREIGN: Readonly<Record<string, string>> = {
  bool: "boolean",
  float: "number",
  int: "integer",
  list: "array",
  map: "object",
  text: "string",
  union: "one_of",
};

/** The names that can stand for a type. */
export class TypeNames {
  readonly #types: readonly string[];
  readonly #mayExist: (type: string) => boolean;

  /** `mayExist` says whether a type may be in a file that cannot be read. */
  constructor(types: readonly string[], mayExist: (type: string) => boolean) {
    this.#types = types;
    this.#mayExist = mayExist;
  }

  /** Whether it is the name of a kind, such as `string`. */
  isKind(name: string): boolean {
    return KINDS.includes(name);
  }

  /** Whether it is the name of a type that has been read. */
  isType(name: string): boolean {
    return this.#types.includes(name);
  }

  /** Whether there is a type of this name; reports that there is none. */
  exists({ name, span }: Call, { subject, report }: Place): boolean {
    if (this.isType(name) || this.#mayExist(name)) return true;
    const foreign = Object.hasOwn(FOREIGN, name) ? FOREIGN[name] : undefined;
    const hint = didYouMean(name, [...KINDS, ...this.#types]) ??
      (foreign && `did you mean "${foreign}"?`);
    report({ code: "unknown-type", span, message: `${subject}: there is no type "${name}"`, hint });
    return false;
  }

  /** What to write in place of a value that is not a type. */
  hint(value: unknown): string {
    if (isOptions(value)) return "write it as object({ … })";
    const isName = typeof value === "string" && [...KINDS, ...this.#types].includes(value);
    return isName ? `write it without quotes: ${value}` : "such as string or array(number)";
  }
}
