/** Names and templates in values that HCL does not know: what to write instead. */
import { attributeOf, joined, literalOf } from "../../base/expression-text.ts";

/** A name that a value reads. */
export interface UnknownName {
  /** Its first part. */
  readonly root: string;
  /** What is selected from it, part by part. */
  readonly rest: readonly string[];
  /** The whole attribute, list item or argument, as written; undefined where it is not known. */
  readonly written: string | undefined;
}

const TRUE = ["True", "TRUE", "yes", "Yes", "on", "On"];
const FALSE = ["False", "FALSE", "no", "No", "off", "Off"];
const NOTHING = ["nil", "None", "undefined", "NULL", "Null"];
const CONSTANTS = ["var", "local", "locals", "vars", "const", "constant"];
const BLOCKS = ["connector", "type", "transform", "flow", "step"];
/** The variables of expressions. */
const VARIABLES = ["input", "output", "payload", "client", "step", "match", "item", "error"];

/** The hint for a name that no value has; undefined where it is not known what was meant. */
export function hintOfName({ root, rest, written }: UnknownName): string | undefined {
  if (written?.startsWith('"') && written.includes("${")) {
    return hintOfTemplate(root, rest, written);
  }
  const [name] = rest;
  if (name === undefined) {
    if (TRUE.includes(root)) return "write true";
    if (FALSE.includes(root)) return "write false";
    return NOTHING.includes(root) ? "leave the attribute out" : undefined;
  }
  const variable = environmentOf(root, rest);
  if (variable !== undefined) return `write env("${variable}")`;
  if (CONSTANTS.includes(root)) {
    return `write constants.${name}, and constants { ${name} = … } beside the blocks`;
  }
  if (BLOCKS.includes(root) && rest.length === 1) return `write its name in quotes: "${name}"`;
  return undefined;
}

/** `process.env.NAME`, `env.NAME`, `ENV.NAME`. */
function environmentOf(root: string, rest: readonly string[]): string | undefined {
  const path = [root, ...rest].join(".");
  return /^(?:process\.env|import\.meta\.env|env|ENV|os\.environ)\.(\w+)$/.exec(path)?.[1];
}

/** A value in a text: a variable of the environment, or something of an event. */
function hintOfTemplate(
  root: string,
  rest: readonly string[],
  written: string,
): string | undefined {
  const environment = rest.length === 0 && /^[A-Z][A-Z0-9_]*$/.test(root)
    ? root
    : environmentOf(root, rest);
  if (environment !== undefined) {
    const isAll = /^"\$\{[^{}]*\}"$/.test(written);
    return isAll ? `write env("${environment}")` : `write \${env("${environment}")} in the text`;
  }
  if (!VARIABLES.includes(root)) return undefined;
  const inner = written.slice(1, -1);
  if (/^\s*(?:SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(inner)) {
    const field = rest.at(-1) ?? root;
    const path = [root, ...rest].join(".");
    return `write :${field} there, and beside the query params = { ${field} = "${path}" }`;
  }
  const expression = joined(inner);
  return expression && `+ joins texts: write ${attributeOf(expression)}`;
}

/** Functions of Terraform and their names in expressions. */
const FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["jsonencode", "to_json"],
  ["jsondecode", "from_json"],
  ["length", "size"],
  ["base64encode", "base64_encode"],
  ["base64decode", "base64_decode"],
  ["formatdate", "format_date"],
]);

/**
 * The value in quotes, as the expression that it was meant to be, with an unknown function that it
 * calls; undefined where that is not clear.
 */
export function inQuotes(written: string | undefined, called?: string): string | undefined {
  if (written === undefined || /\n|\$\{/.test(written)) return undefined;
  const expression = written.replace(/"([^"\\]*)"/g, (_, text: string) => literalOf(text));
  if (expression.includes('"')) return undefined;
  const name = FUNCTIONS.get(called ?? "");
  const text = name === undefined ? expression : expression.replace(`${called}(`, `${name}(`);
  return `write it in quotes: "${text}"`;
}
