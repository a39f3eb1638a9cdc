/**
 * The parser, which is the CEL library's. Evaluation is our own (compile.ts), because the library
 * throws on a missing field, refuses data that has a key named "constructor", and counts UTF-16
 * units instead of characters.
 */

import { type ASTNode, Environment, ParseError } from "@marcbachmann/cel-js";
import type { Source } from "./place.ts";

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
export function parse(source: Source): ASTNode {
  const { text } = source;
  try {
    return library.parse(text).ast;
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const words = error.summary.replace(/\b[A-Z]{2,}\b/g, (token) => TOKENS.get(token) ?? token);
    const message = text.trim() === "" ? "the expression is empty" : words;
    const range = error.range ?? { start: 0, end: text.length };
    const sentence = message.charAt(0).toLowerCase() + message.slice(1);
    throw source.problem(range, sentence, { cause: error });
  }
}
