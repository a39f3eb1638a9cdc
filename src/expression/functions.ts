/** All functions of the language, by name. */

import { refuse } from "./arguments.ts";
import { CONVERSIONS } from "./conversions.ts";
import { ENCODING_FUNCTIONS } from "./encoding.ts";
import { LIST_FUNCTIONS, MAP_FUNCTIONS } from "./collections.ts";
import { environmentFunctions } from "./environment.ts";
import { kindOf, textual } from "./kinds.ts";
import { MATH_FUNCTIONS } from "./math.ts";
import {
  define,
  type ExpressionEnvironment,
  type FunctionDefinition,
  type Functions,
} from "./scope.ts";
import { PRESENTATION_FUNCTIONS } from "./presentation.ts";
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

/** The number of characters of a string, items of a list, fields of a map or bytes. */
function size(name: string): FunctionDefinition {
  return define(1, 1, (meter, value) => {
    const text = textual(value);
    if (typeof text === "string") return BigInt(lengthOf(meter, text));
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
  len: size("len"),
  size: size("size"),
};

/** The functions that are the same in every environment. */
const FUNCTIONS: ReadonlyMap<string, FunctionDefinition> = new Map(Object.entries({
  ...GENERAL_FUNCTIONS,
  ...CONVERSIONS,
  ...ENCODING_FUNCTIONS,
  ...STRING_FUNCTIONS,
  ...PRESENTATION_FUNCTIONS,
  ...MATH_FUNCTIONS,
  ...LIST_FUNCTIONS,
  ...MAP_FUNCTIONS,
  ...TIME_FUNCTIONS,
}));

/** The last environment and its functions: all expressions of a configuration have the same. */
let last: ExpressionEnvironment & { functions: ReadonlyMap<string, FunctionDefinition> } = {
  functions: functionsOf({}),
};

function functionsOf(environment: ExpressionEnvironment) {
  return new Map([...FUNCTIONS, ...Object.entries(environmentFunctions(environment))]);
}

/** The functions that an expression can call in `environment`. */
export function functionsIn(
  environment: ExpressionEnvironment,
): ReadonlyMap<string, FunctionDefinition> {
  const { env, now, randomBytes } = environment;
  if (last.env !== env || last.now !== now || last.randomBytes !== randomBytes) {
    last = { env, now, randomBytes, functions: functionsOf(environment) };
  }
  return last.functions;
}
