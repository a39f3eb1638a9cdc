/** All functions of the language, by name. */

import { sha256 } from "@noble/hashes/sha2.js";
import { Duration } from "@marcbachmann/cel-js/evaluator";
import { stringOf, textOf } from "./arguments.ts";
import { Failure, kindOf } from "./failure.ts";
import { libraryFunction } from "./library.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { MAP_FUNCTIONS } from "./maps.ts";
import { NUMBER_FUNCTIONS } from "./numbers.ts";
import {
  define,
  type ExpressionEnvironment,
  type FunctionDefinition,
  type Functions,
} from "./scope.ts";
import { lengthOf, STRING_FUNCTIONS } from "./strings.ts";
import { TIME_FUNCTIONS } from "./time.ts";
import { toBase64 } from "./values.ts";

/** The names of CEL's types as `type()` gives them: `type(input.n) == double`. */
const TYPES: Readonly<Record<string, string>> = {
  boolean: "bool",
  list: "list",
  map: "map",
  bytes: "bytes",
  string: "string",
  null: "null_type",
  timestamp: "timestamp",
  duration: "duration",
};

/** The names of types that are expressions of their own. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([...Object.values(TYPES), "int", "double"]);

/** The first parts of names like `math.abs`, which are functions and not methods. */
export const NAMESPACES: ReadonlySet<string> = new Set(["math", "lists", "sets", "base64", "cel"]);

function typeOf(value: unknown): string {
  if (typeof value === "bigint") return "int";
  return typeof value === "number" ? "double" : TYPES[kindOf(value)];
}

/** The number of characters of a string, items of a list, fields of a map or bytes. */
function size(name: string): FunctionDefinition {
  return define(1, 1, (value) => {
    if (typeof value === "string") return BigInt(lengthOf(value));
    switch (kindOf(value)) {
      case "list":
      case "bytes":
        return BigInt((value as ArrayLike<unknown>).length);
      case "map":
        return BigInt(Object.keys(value as object).length);
      default:
        throw new Failure(`${name}() needs a string, a list or a map, got ${kindOf(value)}`);
    }
  });
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Failure("string() needs bytes that are UTF-8", { cause });
  }
}

function toText(value: unknown): string {
  if (typeof value === "boolean" || value instanceof Duration) return String(value);
  if (value instanceof Uint8Array) return utf8(value);
  return value instanceof Date ? value.toISOString() : textOf("string", value);
}

function toBytes(name: string, value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : new TextEncoder().encode(textOf(name, value));
}

/** The SHA-256 of a string's UTF-8 bytes, or of bytes, in lower-case hexadecimal digits. */
function sha256Hex(value: unknown): string {
  const digest = sha256(toBytes("hash_sha256", value));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fromBase64(value: unknown): Uint8Array {
  const text = stringOf("base64.decode", value);
  try {
    return Uint8Array.from(atob(text), (unit) => unit.charCodeAt(0));
  } catch (cause) {
    throw new Failure(`base64.decode() cannot read what it is given`, { cause });
  }
}

const GENERAL_FUNCTIONS: Functions = {
  uuid: define(0, 0, () => crypto.randomUUID()),
  hash_sha256: define(1, 1, sha256Hex),
  len: size("len"),
  size: size("size"),
  type: define(1, 1, typeOf),
  dyn: define(1, 1, (value) => value),
  string: define(1, 1, toText),
  bool: libraryFunction("bool", 1, 1),
  bytes: define(1, 1, (value) => toBytes("bytes", value)),
  hex: libraryFunction("hex", 1, 1, { method: true }),
  at: libraryFunction("at", 2, 2, { method: true, ints: true }),
  "base64.encode": define(1, 1, (value) => toBase64(toBytes("base64.encode", value))),
  "base64.decode": define(1, 1, fromBase64),
};

/** All functions save `env`, which needs to be told its environment. */
const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(Object.entries({
  ...GENERAL_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...MAP_FUNCTIONS,
  ...TIME_FUNCTIONS,
}));

/** `env(name)` and `env(name, default)`. An empty variable counts as unset. */
function environmentFunction(environment: ExpressionEnvironment): FunctionDefinition {
  const read = (name: unknown, fallback?: unknown): unknown => {
    const wanted = stringOf("env", name);
    const value = environment.env?.(wanted) ?? "";
    if (value !== "") return value;
    if (fallback !== undefined) return fallback;
    throw new Failure(`the environment variable "${wanted}" is not set`);
  };
  return define(1, 2, read, (literals) => {
    if (literals.length === 1 && literals[0] !== undefined) read(literals[0]);
    return undefined;
  });
}

/** The functions that an expression can call in `environment`. */
export function functionsIn(
  environment: ExpressionEnvironment,
): ReadonlyMap<string, FunctionDefinition> {
  return new Map([...FUNCTIONS, ["env", environmentFunction(environment)]]);
}
