/** Evaluates quoted strings and heredocs with `${ … }` and `%{ if … }` in them. */

import { dedent, templateText, unescape, unescapeHeredoc } from "./literals.ts";
import { describe, toBoolean } from "./operators.ts";
import { type Evaluate, fail, type Node, type Scope, spanOf } from "./scope.ts";

/** The text of a template. */
export async function evaluateTemplate(
  node: Node,
  scope: Scope,
  evaluate: Evaluate,
): Promise<string> {
  const written = node.meta?.value ?? "";
  if (/[$%]\{~/.test(written) || /~\}/.test(written)) {
    fail(scope, spanOf(node, scope), 'a template cannot trim with "~"');
  }
  if (!written.startsWith("<<")) return await join(node.children, unescape, scope, evaluate);
  if (!written.startsWith("<<-")) {
    return await join(node.children, unescapeHeredoc, scope, evaluate);
  }
  return await join(indented(node, scope), unescapeHeredoc, scope, evaluate);
}

/** A piece of literal text, as written, or an interpolation. */
type Part = Node | string;

async function join(
  parts: readonly Part[],
  read: (written: string) => string,
  scope: Scope,
  evaluate: Evaluate,
): Promise<string> {
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") texts.push(read(part));
    else if (isText(part)) texts.push(read(part.meta?.value ?? ""));
    else if (isDirective(part)) texts.push(await directive(part, read, scope, evaluate));
    else texts.push(await interpolation(part, scope, evaluate));
  }
  return texts.join("");
}

/** `%{ if … }…%{ else }…%{ endif }`, whose two texts are templates without quotes of their own. */
async function directive(
  node: Node,
  read: (written: string) => string,
  scope: Scope,
  evaluate: Evaluate,
): Promise<string> {
  const [conditionNode, ...branches] = node.children;
  const condition = toBoolean(await evaluate(conditionNode, scope));
  if (condition === undefined) {
    fail(scope, spanOf(conditionNode, scope), "a condition must be true or false");
  }
  return await join(branches[condition ? 0 : 1].children, read, scope, evaluate);
}

async function interpolation(node: Node, scope: Scope, evaluate: Evaluate): Promise<string> {
  if (node.type === "templateJoin") {
    fail(scope, spanOf(node, scope), "a template cannot have a for loop");
  }
  const value = await evaluate(node, scope);
  const text = templateText(value);
  if (text !== undefined) return text;
  return fail(scope, spanOf(node, scope), `${describe(value)} cannot stand inside a text`);
}

/** The parts of a `<<-` heredoc without the indentation that its lines have in common. */
function indented(node: Node, scope: Scope): Part[] {
  const { text } = scope.file;
  const [first] = node.children;
  // The syntax tree has taken the indentation from the first line alone, so read that line again.
  const opening = text.lastIndexOf("<<-", scope.offset(first.range.start.byte));
  const start = text.indexOf("\n", opening) + 1;
  const end = isText(first) ? scope.offset(first.range.end.byte) : start;
  const beginning = isText(first) ? text.slice(start, end) : /[ \t]*/y.exec(text.slice(start))?.[0];
  const rest = isText(first) ? node.children.slice(1) : node.children;
  const parts: Part[] = [beginning ?? "", ...rest];
  const pieces = parts.map((part) =>
    typeof part === "string" ? part : isText(part) ? part.meta?.value ?? "" : null
  );
  return dedent(pieces).map((piece, index) => piece ?? parts[index]);
}

/** Literal text; an interpolated string is a template of its own. */
function isText(node: Node): boolean {
  return node.type === "literalValue" && node.meta?.type === "string";
}

function isDirective(node: Node): boolean {
  return node.type === "conditional" && (node.meta?.value.startsWith("%{") ?? false);
}
