/** The functions of HCL values: `env` and `file`. */

import { messageOf } from "../base/shown.ts";
import { type EvaluateNode, fail, type Node, spanOf, spend, type ValueScope } from "./scope.ts";

/** The result of a function of HCL values; undefined for any other name. */
export function callFunction(
  name: string,
  node: Node,
  scope: ValueScope,
  evaluate: EvaluateNode,
): Promise<{ readonly value: unknown }> | undefined {
  if (name === "env") return env(node, scope, evaluate);
  if (name === "file") return file(node, scope, evaluate);
  return undefined;
}

/** `env("NAME")` or `env("NAME", default)`; an empty variable counts as unset. */
async function env(
  node: Node,
  scope: ValueScope,
  evaluate: EvaluateNode,
): Promise<{ value: unknown }> {
  const [nameNode, defaultNode, surplus] = node.children;
  if (nameNode === undefined || surplus !== undefined) {
    const message = 'env takes a name and a default: env("NAME", "default")';
    fail(scope, spanOf(node, scope), "wrong-arguments", message);
  }
  const name = await textArgument(nameNode, scope, evaluate);
  const value = await attempt(
    () => scope.env(name),
    (reason) => {
      const message = `cannot read the variable ${name}: ${reason}`;
      return fail(scope, spanOf(node, scope), "env-not-readable", message);
    },
  );
  if (value !== undefined && value !== "") return { value };
  if (defaultNode !== undefined) return { value: await evaluate(defaultNode, scope, defaultNode) };
  const hint = `set it, or give a default: env("${name}", "…")`;
  const message = `the environment variable ${name} is not set`;
  return fail(scope, spanOf(node, scope), "env-not-set", message, hint);
}

/** `file("path")`: the text of a file. */
async function file(
  node: Node,
  scope: ValueScope,
  evaluate: EvaluateNode,
): Promise<{ value: unknown }> {
  const [pathNode, surplus] = node.children;
  if (pathNode === undefined || surplus !== undefined) {
    fail(scope, spanOf(node, scope), "wrong-arguments", 'file takes one path: file("path")');
  }
  const path = await textArgument(pathNode, scope, evaluate);
  const { folder } = scope.file;
  const absolute = folder === "" || /^(?:[/\\]|[A-Za-z]:[/\\])/.test(path);
  const joined = absolute ? path : `${folder.replace(/[/\\]$/, "")}/${path}`;
  const value = await attempt(
    () => scope.readFile(joined),
    (reason) => {
      const message = `cannot read the file "${path}": ${reason}`;
      return fail(scope, spanOf(pathNode, scope), "file-not-readable", message);
    },
  );
  spend(value.length, node, scope);
  return { value };
}

async function textArgument(
  node: Node,
  scope: ValueScope,
  evaluate: EvaluateNode,
): Promise<string> {
  const value = await evaluate(node, scope, node);
  if (typeof value === "string") return value;
  return fail(scope, spanOf(node, scope), "wrong-type", "expected a text in quotes");
}

/** What `action` gives, or what `refuse` throws with the reason. */
async function attempt<Value>(
  action: () => Value | Promise<Value>,
  refuse: (reason: string) => never,
): Promise<Value> {
  try {
    return await action();
  } catch (error) {
    return refuse(messageOf(error));
  }
}
