/** A problem of a configuration: its code, its place, and how it is printed. */

/** A problem of a configuration, and its place. */
export interface Problem {
  /**
   * The kind of problem, such as `unknown-operation`. Codes are stable, messages are not;
   * `docs/check.md` lists the codes of Weir. A custom connector can have others.
   */
  readonly code: string;
  /** A configuration with warnings can run. */
  readonly severity: "error" | "warning";
  /** One sentence that names the block and the problem. */
  readonly message: string;
  /** The file as the caller named it; empty if the problem has no file. */
  readonly file: string;
  /** 1-based; 0 if the problem has no place in the file. */
  readonly line: number;
  /** 1-based, in characters. */
  readonly column: number;
  /** The number of characters to underline; at least 1. */
  readonly length: number;
  /** The text of the line, without its line break. */
  readonly source: string;
  /** How to fix it, such as `did you mean "broadcast"?`. */
  readonly hint?: string;
}

/** A problem of a whole file, or of no file if `file` is empty. */
export function problemWithoutPlace(
  { code, message, hint }: {
    readonly code: ProblemCode | RuntimeErrorCode;
    readonly message: string;
    readonly hint?: string | undefined;
  },
  file = "",
): Problem {
  const place = { file, line: 0, column: 0, length: 0, source: "" };
  return { code, severity: "error", message, ...place, ...(hint === undefined ? {} : { hint }) };
}

/**
 * Shows one problem with its place, the line itself, a caret and the hint.
 *
 * @example
 * ```ts
 * import { ConfigError, formatProblem, loadConfig } from "@weir/runtime";
 *
 * await loadConfig("flow {").catch((error) => {
 *   if (error instanceof ConfigError) error.problems.map(formatProblem).forEach((p) => console.log(p));
 * });
 * ```
 */
export function formatProblem(problem: Problem): string {
  const { code, severity, message, file, line, column, length, source, hint } = problem;
  const head = `${severity}[${code}]: ${message}`;
  if (line === 0) {
    const where = file === "" ? "" : `\n  ┌ ${file}`;
    return head + where + (hint === undefined ? "" : `\n  = ${hint}`);
  }
  const gutter = " ".repeat(String(line).length);
  const { before, after } = around(source, column);
  // Tabs in front of the caret are kept, so that both lines have the same width.
  const indent = [...before].map((character) => character === "\t" ? "\t" : " ").join("");
  const width = Math.min(length, Math.max(1, [...after].length));
  const caret = "^".repeat(Math.max(1, width)) + (hint === undefined ? "" : ` ${hint}`);
  return [
    head,
    `${gutter}┌ ${file}:${line}:${column}`,
    `${line}│ ${before}${after}`,
    `${gutter}│ ${indent}${caret}`,
  ].join("\n");
}

/** A longer line, in characters, is shown in part. */
const LONG_LINE = 400;
/** The number of its characters that are shown before and after the column. */
const EACH_SIDE = 120;

/** The line before a column and from it on; only the characters near it if the line is long. */
function around(source: string, column: number): { before: string; after: string } {
  let at = 0;
  for (let count = 1; count < column && at < source.length; count++) {
    at += (source.codePointAt(at) ?? 0) > 0xFFFF ? 2 : 1;
  }
  if (source.length <= LONG_LINE) return { before: source.slice(0, at), after: source.slice(at) };
  const before = source.slice(Math.max(0, at - EACH_SIDE), at);
  const after = source.slice(at, at + EACH_SIDE);
  return {
    before: before.length < at ? `…${before}` : before,
    after: at + after.length < source.length ? `${after}…` : after,
  };
}

/** All codes of Weir's own problems, with their meanings. */
export const PROBLEM_CODES = {
  // Files and their text.
  "file-not-readable": "A file does not exist, is not a regular file, or is not UTF-8.",
  "syntax-error": "The text is not HCL.",
  "too-large": "A file, a value or the whole configuration exceeds a limit.",
  "too-many-problems": "Only the first 1000 problems are reported.",
  // Blocks and attributes.
  "unknown-block": "The block does not exist in this place.",
  "unknown-attribute": "The block has no attribute of this name.",
  "missing-block": "The block needs another block inside it.",
  "missing-attribute": "The block needs an attribute.",
  "missing-name": 'The block needs a name, as in `flow "name" { … }`.',
  "unexpected-label": "The block takes no label, or no second one.",
  "duplicate-name": "Two blocks, constants or keys have the same name.",
  "duplicate-block": "The block can exist only once.",
  "empty-block": "The block has no effect, because it is empty.",
  "unreachable-block": "The block has no effect, because one before it always applies.",
  "conflicting-attributes": "Two attributes or blocks exclude each other.",
  "unused-attribute": "The attribute has no effect next to what else the block says.",
  // Values.
  "invalid-value": "The value of an attribute has the wrong kind, form or range.",
  "invalid-limits": "Two limits contradict each other, such as a minimum above its maximum.",
  "wrong-type": "An operator, a template or an index got a value of another kind.",
  "invalid-number": "A number is out of range, or a division is by zero.",
  "unsupported-syntax": "HCL that Weir does not evaluate, such as `for`.",
  "unknown-constant": "No `constants` block has a constant of this name.",
  "constant-order": "A constant uses one that is declared below it.",
  "unknown-field": "The object or list has no such field or item.",
  "env-not-set": "The environment variable is not set, and the call has no default.",
  "env-not-readable": "The environment variable cannot be read.",
  // Expressions.
  "expression-syntax": "The text is not an expression.",
  "unknown-variable": "The variable does not exist in this place.",
  "unknown-function": "No function has this name.",
  "wrong-arguments": "A function or type got arguments that it does not take.",
  "invalid-expression": "The expression can never be evaluated.",
  // References between blocks.
  "unknown-connector-type": "No connector type has this name.",
  "unknown-connector": "No `connector` block has this name.",
  "unknown-type": "No `type` block has this name.",
  "unknown-transform": "No top-level `transform` block has this name.",
  "unknown-step": "No `step` of this name runs before this place.",
  "unknown-destination": "No `to` of this name has run before this place.",
  "unknown-subject": "No client and no connector of a test has this name.",
  "not-a-source": "No flow can start at this connector.",
  "not-a-destination": "The connector accepts no `to`, `step` or `mock`.",
  "not-a-store": "The connector stores no keys for `dedupe`.",
  "not-a-backplane": "The connector cannot link the instances of a service.",
  "no-clients": "The connector has no clients.",
  // Connectors.
  "duplicate-address": "Two connectors, or a connector and the admin port, serve the same address.",
  "conflicting-proxies": "Connectors on one port trust different proxies.",
  "unknown-operation": "The connector has no such operation.",
  "missing-operation": "The block needs an `operation`.",
  "invalid-operation": "The operation has the wrong form, or no flow can start with it.",
  "missing-target": "The operation needs a `target`.",
  "missing-user": "The operation needs a `user`, because no client sends the event.",
  "missing-key": "The block needs a key.",
  "missing-folder": "The folder that an attribute names does not exist.",
  "missing-origins": "A cookie is only safe with `origins`.",
  "missing-token": "An admin port that other machines reach needs `admin_token`.",
  "invalid-path": "The URL path is not in its plain form.",
  "invalid-url": "The URL has the wrong form.",
  "invalid-query": "The SQL query cannot be read.",
  "missing-parameter": "The query needs a parameter that nothing sends.",
  "unknown-parameter": "The query has no such parameter.",
  "unknown-table": "The database has no such table.",
  "unknown-column": "The table has no such column.",
  "missing-column": "A row lacks a value for a column that is NOT NULL.",
  "refused-value": "The column can store no such value.",
  "refused-statement": "The database refuses the statement.",
  "invalid-migration": "A migration cannot be read or applied.",
  "no-rows": "The statement returns no rows.",
  "no-transactions": "The connector has no transactions.",
  "missing-queue": "The connector needs a named queue.",
  "missing-service-name": "Instances of a service need its name to find each other.",
  "missing-store": "The instances of a service cannot share the keys of `dedupe`.",
  "several-backplanes": "The connectors of a service name different backplanes.",
  "unshared-connector": "The instances of a service cannot have the connector in common.",
  "dead-letter-loop": "Dead letters would return to the exchange that they came from.",
  "unmatched-room": "No room name can match the pattern.",
  "invalid-pattern": "A `{name}` in a pattern is wrong.",
  "unknown-match": "The pattern has no `{name}` of this name.",
  // Plugins.
  "plugin-unsupported": "The program that reads the configuration cannot import plugins.",
  "plugin-specifier": "The text is not the name of a module that can be imported here.",
  "plugin-not-found": "The module of a plugin does not exist, or its package is not installed.",
  "plugin-failed": "The module of a plugin cannot be imported: it has an error or throws one.",
  "plugin-export": "The module of a plugin does not export a table of connector types.",
  "plugin-conflict": "Two plugins define the same connector type, or one that is built in.",
  // Flows.
  "missing-source": "The flow needs a `from` block or `when`.",
  "invalid-schedule": "The schedule cannot be read, or never runs.",
  "invalid-rejection": "The source cannot refuse an event this way, or not at this place.",
  "nested-transform": "A top-level transform cannot use another one.",
  "no-caller": "An `error_response` has no receiver here.",
  // Types.
  "invalid-type": "The value is not a type.",
  "invalid-default": "The default does not fit its own type.",
  "reserved-name": "The name belongs to a built-in type.",
  "unknown-option": "The type has no such option.",
  "endless-type": "No value can satisfy the type, because it contains itself.",
  "invalid-union": "The types of `one_of` cannot be told apart.",
  // Warnings.
  "unverified-user": "A flow, a rule or presence trusts a `user_id` that is not verified.",
  "unchecked-audience": "Tokens for other services of the same issuer are accepted.",
  "always-null": "The value is null for every event of the flow.",
  "flow-loop": "The flow starts itself again.",
  "not-kept": "A message is not kept in the history of its room.",
  "unsupported-history": "The backplane cannot keep the history of rooms.",
  "every-instance": "Every instance of the service would do it once for each event.",
  "single-write": "A transaction has one write alone.",
  "unused-transform": "Nothing uses what the transform makes.",
  "unpublished-operation": "No flow publishes what starts this flow.",
  "unused-room": "No flow sends to the room.",
  "closed-room": "No client can be in the room that a flow sends to.",
  "untested-operation": "No test sends what starts the flow.",
  "misspelled-variable": "A `target` is a name that is close to a variable.",
  "length-field": "`.length` reads a field, and texts and lists have `size()`.",
  "unknown-target-field": "A `target` reads a field that no event can have.",
  "mycel-difference": "In a `.mycel` file: Weir and Mycel understand it differently.",
  // Connectors of an embedding program.
  "connector-rule": "A connector's own rule, which has no code of its own.",
} as const;

/** A code of Weir's own problems. */
export type ProblemCode = keyof typeof PROBLEM_CODES;

/** All codes of errors that are not problems of a configuration, with their meanings. */
export const ERROR_CODES = {
  "usage-error": "The command line has an unknown option or a wrong value.",
  "no-configuration": "A path does not exist, or has no configuration file.",
  "no-tests": "`weir test` found no test to run.",
  "not-ready": "`weir health` got no answer that says that the server is ready.",
  "not-reached": "`weir status` got no answer of an admin port.",
  "invalid-configuration": "The configuration has problems, each with its own code.",
  "connector-failed": "A connector cannot start, or cannot do what a flow asks of it.",
  "cannot-listen": "A port is in use, or the system refuses it.",
  "invalid-certificate": "The files of a `tls` block cannot be used.",
  "migration-failed": "A migration cannot be read or applied, or was changed afterwards.",
  "needs-mock": "What plays a service in a test cannot answer a request.",
  "worker-failed": "A worker process did not start, or none is running.",
  "expression-failed": "An expression failed for one event.",
  "timed-out": "Something took longer than its timeout.",
} as const;

/** The code of an error that is not a problem of the configuration. */
export type RuntimeErrorCode = keyof typeof ERROR_CODES;
