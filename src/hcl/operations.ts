/** The operators and functions of HCL values. */
import type { ProblemCode } from "../base/problem.ts";
import { kindName, messageOf } from "../base/shown.ts";
import { type EvaluateNode, fail, type Node, spanOf, spend, type ValueScope } from "./scope.ts";
import { Call } from "./tree.ts";

/** The result of an operator, or why it fails and which operand (0 or 1) is wrong. */
export type OperatorResult =
  | { readonly value: unknown }
  | { readonly code: ProblemCode; readonly error: string; readonly operand: number };

const arithmetic: ReadonlyMap<string, (a: number, b: number) => number | boolean> = new Map([
  ["add", (a: number, b: number): number | boolean => a + b],
  ["subtract", (a, b) => a - b],
  ["multiply", (a, b) => a * b],
  ["divide", (a, b) => a / b],
  ["modulo", (a, b) => a % b],
  ["greaterThan", (a, b) => a > b],
  ["greaterThanOrEqual", (a, b) => a >= b],
  ["lessThan", (a, b) => a < b],
  ["lessThanOrEqual", (a, b) => a <= b],
]);

/** Applies a binary operator under hcl2json's name for it. */
export function binary(operator: string, left: unknown, right: unknown): OperatorResult {
  if (operator === "equal") return { value: same(left, right) };
  if (operator === "notEqual") return { value: !same(left, right) };
  if (operator === "logicalAnd" || operator === "logicalOr") {
    const [a, b] = [toBoolean(left), toBoolean(right)];
    if (a === undefined) return unfit("true or false", left, 0);
    if (b === undefined) return unfit("true or false", right, 1);
    return { value: operator === "logicalAnd" ? a && b : a || b };
  }
  const apply = arithmetic.get(operator);
  if (apply === undefined) {
    const error = `unknown operator "${operator}"`;
    return { code: "unsupported-syntax", error, operand: 0 };
  }
  const [a, b] = [toNumber(left), toNumber(right)];
  if (a === undefined) return unfit("a number", left, 0);
  if (b === undefined) return unfit("a number", right, 1);
  if (b === 0 && (operator === "divide" || operator === "modulo")) {
    return { code: "invalid-number", error: "division by zero", operand: 1 };
  }
  const value = apply(a, b);
  if (typeof value === "number" && !Number.isFinite(value)) {
    return { code: "invalid-number", error: "the number is out of range", operand: 0 };
  }
  return { value };
}

/** The number that a value is, or that its text from the environment represents. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^\s*-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\s*$/.test(value)) {
    return undefined;
  }
  return Number(value);
}

/** The boolean that a value is, or that its text from the environment represents. */
export function toBoolean(value: unknown): boolean | undefined {
  if (typeof value === "boolean") return value;
  return value === "true" ? true : value === "false" ? false : undefined;
}

/** The kind of a value in the words of a problem. */
export function describe(value: unknown): string {
  return value instanceof Call ? `${value.name}()` : kindName(value);
}

function unfit(expected: string, value: unknown, operand: number): OperatorResult {
  const error = `expected ${expected}, not ${describe(value)}`;
  return { code: "wrong-type", error, operand };
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return left.size === right.size &&
    [...left].every(([key, value]) => right.has(key) && same(value, right.get(key)));
}

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

/** The result of `action`. If it throws, `refuse` throws with the reason. */
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
