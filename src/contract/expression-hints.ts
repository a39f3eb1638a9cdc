/** What to do about an attribute that should be an expression, or about a variable that is elsewhere. */

import { attributeOf, literalOf } from "../base/expression-text.ts";

/** Where each variable can be used, for those that are not everywhere. */
const PLACES: Readonly<Record<string, string>> = {
  client: "only events of a websocket, or of a rest connector, have a client; " +
    "in a filter of a destination it is the recipient",
  claims: "only user in a jwt block has claims; in a flow they are client.claims",
  room: "only join in a room block has room; in a flow it is input.room",
  match: "only sources with a name in a pattern, such as {id}, have match",
  step: 'it has the results of steps; a block step "NAME" { … } above makes step.NAME',
  output: "the transform makes output, so what comes before it reads input",
  payload: "the payload is there for to, response and fallback; before them read input",
  outputs: "it has the results of destinations, for to and response; before them read input",
  results: 'it has the results of to "NAME" blocks, for what comes after them',
  item: "only a to block with each has item",
  index: "only a to block with each has index",
  error: "only fallback and error_response have error",
  input: "input is the event of a flow, and this belongs to no flow",
};

/** What to do about a variable that does not exist here. `above` are the lines before this one. */
export function hintOfVariable(
  name: string,
  variables: readonly string[],
  above: readonly string[],
): string | undefined {
  if (above.includes(name) && variables.includes("output")) {
    return `a line above is output.${name}`;
  }
  return Object.hasOwn(PLACES, name) ? PLACES[name] : undefined;
}

/**
 * The value of an attribute as the expression that was meant; undefined where there is none. A text
 * in it stays an expression if `compiles` says that it is one.
 */
export function expressionOf(
  value: unknown,
  compiles: (text: string) => boolean,
): string | undefined {
  if (value === null || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  if (typeof value === "string") return compiles(value) ? value : literalOf(value);
  if (typeof value !== "object") return undefined;
  const inner = Object.entries(value).map(([name, item]) => {
    const text = expressionOf(item, compiles);
    return Array.isArray(value) || text === undefined ? text : `${literalOf(name)}: ${text}`;
  });
  if (inner.includes(undefined)) return undefined;
  return Array.isArray(value) ? `[${inner.join(", ")}]` : `{${inner.join(", ")}}`;
}

/** The longest expression that a hint shows. */
const LONGEST = 120;

/** The hint for an attribute whose value is no text, although it should be an expression. */
export function quoteHint(
  value: unknown,
  compiles: (text: string) => boolean,
): string | undefined {
  const expression = expressionOf(value, compiles);
  if (expression === undefined || expression.length > LONGEST) return undefined;
  return `write ${attributeOf(expression)}`;
}
