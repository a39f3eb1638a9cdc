/** The parameters of a query for which nothing has a value. */
import { didYouMean } from "../../../base/nearest.ts";
import type { Syntax } from "../driver.ts";
import { parseQuery, type Query } from "../sql/mod.ts";
import type { DatabaseRequest, FoundProblem } from "./request.ts";

/** The problems of the parameters that neither `params` nor the payload has. */
export function missingParameters(
  { fields, options: { params = {} } }: DatabaseRequest,
  query: string,
  syntax: Syntax,
): readonly FoundProblem[] {
  // An event may have others.
  if (fields === undefined) return [];
  const sent = [...new Set([...Object.keys(params), ...fields])];
  const parsed = parseQuery(query, syntax);
  return [...new Set(parsed.parameters)].filter((name) => !sent.includes(name)).map((name) => {
    const all = sent.length === 0 ? "nothing is sent" : `it sends ${sent.join(", ")}`;
    return {
      code: "missing-parameter",
      attribute: "query",
      part: placeOf(name, parsed),
      message: `needs the parameter ":${name}", which neither params nor the payload has`,
      hint: didYouMean(name, sent) ?? `${all}; params sends others`,
    };
  });
}

function placeOf(name: string, { pieces, parameters }: Query): { start: number; end: number } {
  let end = 0;
  for (const [at, parameter] of parameters.entries()) {
    const start = end + pieces[at].length;
    end = start + 1 + parameter.length;
    if (parameter === name) return { start, end };
  }
  throw new RangeError(`the query has no parameter ":${name}"`);
}
