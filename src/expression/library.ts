/**
 * What is taken from the CEL library: its parser, its conversions, and its timestamps and
 * durations. Evaluation is our own (compile.ts), because the library throws on a missing field,
 * refuses data that has a key named "constructor", and counts UTF-16 units instead of characters.
 */

import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import { ExpressionError } from "../errors.ts";
import { Failure, kindOf } from "./failure.ts";
import { define, type FunctionDefinition } from "./scope.ts";

const library = new Environment({
  unlistedVariablesAreDyn: true,
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 10_000 },
});

/** The library's names of tokens, as they are written. */
const TOKENS: ReadonlyMap<string, string> = new Map([
  ["EOF", "the end"],
  ["NUMBER", "a number"],
  ["STRING", "a string"],
  ["BYTES", "bytes"],
  ["BOOLEAN", "true or false"],
  ["NULL", "null"],
  ["IDENTIFIER", "a name"],
  ["PLUS", '"+"'],
  ["MINUS", '"-"'],
  ["MULTIPLY", '"*"'],
  ["DIVIDE", '"/"'],
  ["MODULO", '"%"'],
  ["EQ", '"=="'],
  ["NE", '"!="'],
  ["LT", '"<"'],
  ["LE", '"<="'],
  ["GT", '">"'],
  ["GE", '">="'],
  ["AND", '"&&"'],
  ["OR", '"||"'],
  ["NOT", '"!"'],
  ["IN", '"in"'],
  ["LPAREN", '"("'],
  ["RPAREN", '")"'],
  ["LBRACKET", '"["'],
  ["RBRACKET", '"]"'],
  ["LBRACE", '"{"'],
  ["RBRACE", '"}"'],
  ["DOT", '"."'],
  ["COMMA", '","'],
  ["COLON", '":"'],
  ["QUESTION", '"?"'],
]);

/** The syntax tree of an expression. Throws an ExpressionError with the place of a mistake. */
export function parse(source: string): ASTNode {
  try {
    return library.parse(source).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const words = error.summary.replace(/\b[A-Z]{2,}\b/g, (token) => TOKENS.get(token) ?? token);
    const message = source.trim() === "" ? "the expression is empty" : words;
    throw new ExpressionError(source, message.charAt(0).toLowerCase() + message.slice(1), {
      start: error.range?.start ?? 0,
      end: error.range?.end ?? source.length,
      cause: error,
    });
  }
}

/** An operator of the library, for timestamps, durations and bytes. */
export function libraryOperator(operator: string): (a: unknown, b: unknown) => unknown {
  const run = library.parse(`a ${operator} b`);
  return (a, b) => run({ a, b });
}

const PARAMETERS = ["a", "b"];

/**
 * A function of the library, called as `name(a, b)` or, where `method` is set, as `a.name(b)`.
 * `minimum` and `maximum` count the receiver. With `ints`, whole JSON numbers become ints.
 */
export function libraryFunction(
  name: string,
  minimum: number,
  maximum: number,
  options: { readonly method?: boolean; readonly ints?: boolean } = {},
): FunctionDefinition {
  const runs = [...Array(maximum + 1).keys()].map((count) => {
    const used = PARAMETERS.slice(0, count);
    return count < minimum
      ? undefined
      : library.parse(options.method ? `a.${name}(${used.slice(1)})` : `${name}(${used})`);
  });
  return define(minimum, maximum, (...values) => {
    const given = options.ints ? values.map(wholeAsInt) : values;
    try {
      return runs[values.length]?.({ a: given[0], b: given[1] });
    } catch (cause) {
      throw new Failure(`${name}() cannot take ${values.map(kindOf).join(" and ")}`, { cause });
    }
  });
}

function wholeAsInt(value: unknown): unknown {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}
