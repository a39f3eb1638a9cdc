/** Checks of `to` and `step` blocks that concern several attributes. */
import type { CodedProblem, Destination } from "../../contract/definition.ts";
import { didYouMean } from "../../base/nearest.ts";
import type { Syntax } from "./driver.ts";
import type { DatabaseDestination } from "./options.ts";
import { parseQuery, type Query } from "./sql/mod.ts";

/**
 * Checks a `to` block. Parameters that its `params` lack come from the payload. `syntax` is that of
 * its query; undefined where the driver is unknown.
 */
export function checkDestination(
  to: Destination<DatabaseDestination>,
  syntax: Syntax | undefined,
): readonly CodedProblem[] {
  const { query, params } = to.options;
  if (query !== undefined) {
    return checkQuery(query, syntax, to, (found) => checkNames(found, params));
  }
  const problems = checkTable(to);
  if (params === undefined) return problems;
  return [...problems, {
    code: "unused-attribute",
    attribute: "params",
    message: "takes no params without a query",
  }];
}

/** Checks a `step` block. Its `params` are all that it sends; without them it sends the payload. */
export function checkStep(
  step: Destination<DatabaseDestination>,
  syntax: Syntax | undefined,
): readonly CodedProblem[] {
  const { params, sent = [], options: { query, rows } } = step;
  if (query !== undefined) {
    return checkQuery(query, syntax, step, (found) => [
      ...(params === undefined ? checkSent(found, sent) : checkParams(found, params)),
      ...(found.returnsRows || rows === undefined || rows === "auto" ? [] : [{
        code: "no-rows" as const,
        attribute: "rows",
        message: `has rows = "${rows}", but its query returns none`,
        hint: "RETURNING lets a statement that writes return rows",
      }]),
    ]);
  }
  const problems = [...checkTable(step), ...checkKey(step)];
  if (rows === undefined || rows === "auto") return problems;
  const message = `has rows = "${rows}" without a query`;
  const hint = "a write to a table returns its row";
  return [...problems, { code: "unused-attribute", attribute: "rows", message, hint }];
}

function checkTable(
  { operation = "INSERT", target, options: { key } }: Destination<DatabaseDestination>,
): readonly CodedProblem[] {
  const problems: CodedProblem[] = [];
  if (target === undefined) {
    const hint = 'target = "table"';
    const message = "needs a target, which is a table, or a query";
    problems.push({ code: "missing-target", message, hint });
  }
  if (operation === "INSERT" && key !== undefined) {
    const hint = 'operation = "UPSERT" takes one';
    const message = "takes no key for an INSERT";
    problems.push({ code: "unused-attribute", attribute: "key", message, hint });
  }
  if (["UPDATE", "DELETE", "UPSERT"].includes(operation) && key === undefined) {
    const message = `needs a key for its ${operation}`;
    const hint = 'such as key = "id"';
    problems.push({ code: "missing-key", attribute: "operation", message, hint });
  }
  return problems;
}

/** The columns that a step writes are its `params`, among which its key must be. */
function checkKey(
  { operation = "INSERT", params, options: { key } }: Destination<DatabaseDestination>,
): readonly CodedProblem[] {
  if (params === undefined || key === undefined || operation === "INSERT") return [];
  return key.filter((column) => !Object.hasOwn(params, column)).map((column) =>
    lacking("missing-key", `needs its key "${column}" in params`, column, Object.keys(params))
  );
}

function checkQuery(
  text: string,
  syntax: Syntax | undefined,
  { operation, target, options: { key } }: Destination<DatabaseDestination>,
  checkParsed: (query: Query) => readonly CodedProblem[],
): readonly CodedProblem[] {
  if (target !== undefined) {
    const hint = "leave one of them out";
    const message = "has both a target and a query";
    return [{ code: "conflicting-attributes", attribute: "query", message, hint }];
  }
  const useless = [
    ...(operation === undefined ? [] : ["operation"]),
    ...(key === undefined ? [] : ["key"]),
  ].map((name): CodedProblem => ({
    code: "unused-attribute",
    attribute: name,
    message: `takes no ${name} beside a query`,
  }));
  if (syntax === undefined) return useless;
  try {
    return [...useless, ...checkParsed(parseQuery(text, syntax))];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const message = `has a query that ${error.message}`;
    return [...useless, { code: "invalid-query", attribute: "query", message }];
  }
}

/** The query and the `params` must have the same names. A name that is misspelled is told once. */
function checkParams(
  query: Query,
  params: Readonly<Record<string, unknown>>,
): readonly CodedProblem[] {
  const missing = checkMissing(query, Object.keys(params));
  const meant = missing.map(({ hint }) => hint);
  const unknown = checkNames(query, params, (name) => !meant.includes(didYouMean(name, [name])));
  return [...unknown, ...missing];
}

/** The query must use every one of the `params`, but for those that `counts` leaves out. */
function checkNames(
  { parameters }: Query,
  params: Readonly<Record<string, unknown>> = {},
  counts: (name: string) => boolean = () => true,
): readonly CodedProblem[] {
  return Object.keys(params)
    .filter((name) => !parameters.includes(name) && counts(name))
    .map((name) =>
      lacking("unknown-parameter", `has no parameter ":${name}" in its query`, name, parameters)
    );
}

/** Every parameter of the query must be among the `params`. */
function checkMissing({ parameters }: Query, params: readonly string[]): readonly CodedProblem[] {
  return [...new Set(parameters)]
    .filter((name) => !params.includes(name))
    .map((name) =>
      lacking("missing-parameter", `needs the parameter ":${name}" in params`, name, params)
    );
}

/** Every parameter of the query must be sent, if the names of what is sent are known. */
function checkSent({ parameters }: Query, sent: readonly string[]): readonly CodedProblem[] {
  if (sent.length === 0) return [];
  return [...new Set(parameters)].filter((name) => !sent.includes(name)).map((name) => ({
    code: "missing-parameter",
    attribute: "query",
    message: `has the parameter ":${name}" in its query and sends none of this name`,
    hint: didYouMean(name, sent) ?? `it sends ${sent.join(", ")}; params sends others`,
  }));
}

function lacking(
  code: CodedProblem["code"],
  message: string,
  name: string,
  known: readonly string[],
): CodedProblem {
  const names = known.length === 0 ? "it has none" : `it has ${[...new Set(known)].join(", ")}`;
  return { code, attribute: "params", message, hint: didYouMean(name, known) ?? names };
}
