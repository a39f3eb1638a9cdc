/** All functions of the language, by name. */

import { refuse } from "./arguments.ts";
import { CONVERSIONS } from "./conversions.ts";
import { ENCODING_FUNCTIONS } from "./encoding.ts";
import { environmentFunctions } from "./environment.ts";
import { lengthOf } from "./characters.ts";
import { kindOf } from "./failure.ts";
import { LIST_FUNCTIONS } from "./lists.ts";
import { MAP_FUNCTIONS } from "./maps.ts";
import { NUMBER_FUNCTIONS } from "./numbers.ts";
import {
  define,
  type ExpressionEnvironment,
  type FunctionDefinition,
  type Functions,
} from "./scope.ts";
import { STRING_FUNCTIONS } from "./strings.ts";
import { TIME_FUNCTIONS } from "./time.ts";
import { namesOf } from "./values.ts";

/** The first parts of names like `math.abs`, which are functions and not methods. */
export const NAMESPACES: ReadonlySet<string> = new Set([
  "math",
  "strings",
  "lists",
  "sets",
  "base64",
  "cel",
]);

/** What making a UUID takes. */
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

/** All functions that give the same wherever they run. */
const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(Object.entries({
  ...GENERAL_FUNCTIONS,
  ...CONVERSIONS,
  ...ENCODING_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...NUMBER_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...MAP_FUNCTIONS,
  ...TIME_FUNCTIONS,
}));

/** The functions that an expression can call in `environment`. */
export function functionsIn(
  environment: ExpressionEnvironment,
): ReadonlyMap<string, FunctionDefinition> {
  return new Map([...FUNCTIONS, ...Object.entries(environmentFunctions(environment))]);
}
