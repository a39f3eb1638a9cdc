/** Evaluates quoted strings and heredocs with `${ … }` and `%{ if … }` in them. */

import { dedent, templateText, unescape, unescapeHeredoc } from "./literals.ts";
import { describe, toBoolean } from "./operations.ts";
import {
  type EvaluateNode,
  fail,
  limited,
  type Node,
  spanOf,
  spend,
  type ValueScope,
} from "./scope.ts";

/** The text of a template. */
export async function evaluateTemplate(
  node: Node,
  scope: ValueScope,
  evaluate: EvaluateNode,
): Promise<string> {
  const written = node.meta?.value ?? "";
  if (/[$%]\{~/.test(written) || /~\}/.test(written)) {
    fail(
      scope,
      spanOf(node, scope),
      "unsupported-syntax",
      'trimming with "~" is not supported in a template',
    );
  }
  const parts = written.startsWith("<<-") ? indented(node, scope) : node.children;
  const read = written.startsWith("<<") ? unescapeHeredoc : unescape;
  return await join(parts, { node, read, scope, evaluate });
}

/** What a template is put together with. */
interface Template {
  readonly node: Node;
  /** The text of a literal piece. */
  readonly read: (written: string) => string;
  readonly scope: ValueScope;
  readonly evaluate: EvaluateNode;
}

/** A piece of literal text, as written, or an interpolation. */
type Part = Node | string;

async function join(parts: readonly Part[], template: Template): Promise<string> {
  const { node, read, scope, evaluate } = template;
  let text = "";
  for (const part of parts) {
    if (typeof part === "string") text += read(part);
    else if (isText(part)) text += read(part.meta?.value ?? "");
    else if (isDirective(part)) text += await directive(part, template);
    else text += await interpolation(part, scope, evaluate);
    limited(text, node, scope);
  }
  spend(text.length, node, scope);
  return text;
}

/** `%{ if … }…%{ else }…%{ endif }`, whose two texts are templates without quotes of their own. */
async function directive(node: Node, template: Template): Promise<string> {
  const { scope, evaluate } = template;
  const [conditionNode, ...branches] = node.children;
  const condition = toBoolean(await evaluate(conditionNode, scope));
  if (condition === undefined) {
    fail(scope, spanOf(conditionNode, scope), "wrong-type", "a condition must be true or false");
  }
  return await join(branches[condition ? 0 : 1].children, template);
}

async function interpolation(
  node: Node,
  scope: ValueScope,
  evaluate: EvaluateNode,
): Promise<string> {
  if (node.type === "templateJoin") {
    fail(
      scope,
      spanOf(node, scope),
      "unsupported-syntax",
      "for loops are not supported in a template",
    );
  }
  const value = await evaluate(node, scope);
  const text = templateText(value);
  if (text !== undefined) return text;
  const message = `${describe(value)} cannot be part of a text`;
  return fail(scope, spanOf(node, scope), "wrong-type", message);
}

/** The parts of a `<<-` heredoc without the indentation that its lines have in common. */
function indented(node: Node, scope: ValueScope): Part[] {
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
