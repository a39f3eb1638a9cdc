/** All functions of the language, by name. */

import { quoted } from "../base/shown.ts";
import { refuse, stringOf } from "./arguments.ts";
import { CONVERSIONS } from "./conversions.ts";
import { ENCODING_FUNCTIONS } from "./encoding.ts";
import { LIST_FUNCTIONS, MAP_FUNCTIONS } from "./collections.ts";
import { Failure } from "./failure.ts";
import { kindOf } from "./kinds.ts";
import { MATH_FUNCTIONS } from "./math.ts";
import { Meter } from "./meter.ts";
import {
  define,
  type ExpressionEnvironment,
  type FunctionDefinition,
  type Functions,
} from "./scope.ts";
import { STRING_FUNCTIONS } from "./strings.ts";
import { lengthOf } from "./characters.ts";
import { TIME_FUNCTIONS } from "./time.ts";
import { namesOf } from "./values.ts";

/** The first parts of names such as `math.abs`, which are functions and not methods. */
export const NAMESPACES: ReadonlySet<string> = new Set([
  "math",
  "strings",
  "lists",
  "sets",
  "base64",
  "cel",
]);

/** Steps of making a UUID. */
const UUID = 100;

/** The number of characters of a string, items of a list, fields of a map or bytes. */
function size(name: string): FunctionDefinition {
  return define(1, 1, (meter, value) => {
    if (typeof value === "string") return BigInt(lengthOf(meter, value));
    switch (kindOf(value)) {
      case "list":
      case "bytes":
        return BigInt((value as ArrayLike<unknown>).length);
      case "map":
        return BigInt(namesOf(meter, value as object).length);
      default:
        return refuse(name, "a string, a list or a map", value);
    }
  });
}

const GENERAL_FUNCTIONS: Functions = {
  uuid: define(0, 0, (meter) => {
    meter.spend(UUID);
    return crypto.randomUUID();
  }),
  len: size("len"),
  size: size("size"),
};

/** The functions that are the same in every environment. */
const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(Object.entries({
  ...GENERAL_FUNCTIONS,
  ...CONVERSIONS,
  ...ENCODING_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...MATH_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...MAP_FUNCTIONS,
  ...TIME_FUNCTIONS,
}));

/** Steps of a call of the system. */
const SYSTEM_CALL = 100;

/** `env(name)` and `env(name, default)`. An empty variable counts as unset. */
function variableReader(env: ExpressionEnvironment["env"]): FunctionDefinition {
  const read = (meter: Meter, name: unknown, fallback?: unknown): unknown => {
    meter.spend(SYSTEM_CALL);
    const wanted = stringOf("env", name);
    const value = env?.(wanted) ?? "";
    if (value !== "") return value;
    if (fallback !== undefined) return fallback;
    throw new Failure(`the environment variable ${quoted(wanted)} is not set`);
  };
  return define(1, 2, read, (literals) => {
    const [name] = literals;
    if (literals.length === 1 && name !== undefined) read(new Meter(), name);
    // Read once here too: workers and --watch must know which variables an expression uses.
    else if (typeof name === "string") env?.(name);
    return undefined;
  });
}

/** The functions that read the environment: its variables and its clock. */
function environmentFunctions({ env, now = () => Date.now() }: ExpressionEnvironment): Functions {
  return {
    env: variableReader(env),
    now: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return new Date(now()).toISOString();
    }),
    now_unix: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return BigInt(Math.floor(now() / 1000));
    }),
  };
}

/** The last environment and its functions: all expressions of a configuration have the same. */
let last: { env: unknown; now: unknown; functions: ReadonlyMap<string, FunctionDefinition> } = {
  env: undefined,
  now: undefined,
  functions: functionsOf({}),
};

function functionsOf(environment: ExpressionEnvironment) {
  return new Map([...FUNCTIONS, ...Object.entries(environmentFunctions(environment))]);
}

/** The functions that an expression can call in `environment`. */
export function functionsIn(
  environment: ExpressionEnvironment,
): ReadonlyMap<string, FunctionDefinition> {
  const { env, now } = environment;
  if (last.env !== env || last.now !== now) {
    last = { env, now, functions: functionsOf(environment) };
  }
  return last.functions;
}
