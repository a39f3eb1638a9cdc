/** Evaluates HCL expressions, as hcl2json's syntax tree shows them, into plain values. */

import { didYouMean } from "../base/nearest.ts";
import { extentOf } from "./limits.ts";
import { binary, callFunction, describe, toBoolean, toNumber } from "./operations.ts";
import { isVerbatim, plainLiteral } from "./literals.ts";
import { hintOfName, inQuotes } from "./mistakes/values.ts";
import {
  fail,
  limited,
  type Node,
  spanOf,
  spend,
  type Step,
  ValueFailure,
  type ValueScope,
} from "./scope.ts";
import { evaluateTemplate } from "./templates.ts";
import { Call, type ItemPlace, keepItemPlaces, type Span } from "./tree.ts";

/**
 * The value of a node. `item` is the attribute's value, list item, field or argument that the node
 * belongs to; it could have been a string in quotes, which hints say. Throws `ValueFailure`.
 */
export async function evaluate(node: Node, scope: ValueScope, item?: Node): Promise<unknown> {
  const { children } = node;
  switch (node.type) {
    case "literalValue":
      return literal(node, scope);
    case "template":
      return await evaluateTemplate(node, { ...scope, template: node.meta?.value }, evaluate);
    case "templateWrap":
      return await evaluate(children[0], { ...scope, template: node.meta?.value });
    case "":
      return await evaluate(children[0], scope, item);
    case "tuple":
      return withPlaces(await evaluateAll(children, scope), [...children.keys()], node, scope);
    case "object":
      return await object(node, scope);
    case "function":
      return await call(node, scope, item);
    case "scopeTraversal":
      return variable(node, scope, item);
    case "relativeTraversal":
      return follow(await evaluate(children[0], scope, item), node.meta?.traversal ?? [], scope);
    case "index": {
      const [collection, key] = [
        await evaluate(children[0], scope, item),
        await evaluate(children[1], scope),
      ];
      return select(collection, key, spanOf(children[1], scope), scope);
    }
    case "conditional": {
      const condition = toBoolean(await evaluate(children[0], scope, item));
      if (condition === undefined) {
        fail(scope, spanOf(children[0], scope), "wrong-type", "a condition must be true or false");
      }
      return await evaluate(children[condition ? 1 : 2], scope, item);
    }
    case "unaryOp":
      return await unary(node, scope, item);
    case "binaryOp": {
      const [left, right] = [
        await evaluate(children[0], scope, item),
        await evaluate(children[1], scope, item),
      ];
      if (typeof left === "object") spend(extentOf(left).size, node, scope);
      const result = binary(node.meta?.operator ?? "", left, right);
      if ("value" in result) return result.value;
      const operand = children[result.operand] ?? node;
      const isText = [left, right].some((value) => typeof value === "string");
      const hint = isText ? "write one text; ${…} puts a value into it" : undefined;
      return fail(scope, spanOf(operand, scope), result.code, result.error, hint);
    }
    case "for":
      return fail(
        scope,
        spanOf(node, scope),
        "unsupported-syntax",
        "for expressions are not supported in a value",
        "write all items out",
      );
    case "splat":
      return fail(
        scope,
        spanOf(node, scope),
        "unsupported-syntax",
        "splats (*) are not supported in a value",
        "write all items out",
      );
    default:
      return fail(
        scope,
        spanOf(node, scope),
        "unsupported-syntax",
        "this expression is not supported in a value",
      );
  }
}

/** The values of all nodes. Throws one failure with the problems of all that fail. */
export async function evaluateAll(nodes: readonly Node[], scope: ValueScope): Promise<unknown[]> {
  const values: unknown[] = [];
  const failures: ValueFailure[] = [];
  for (const node of nodes) {
    try {
      values.push(await evaluate(node, scope, node));
    } catch (error) {
      if (!(error instanceof ValueFailure)) throw error;
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new ValueFailure(failures.flatMap((failure) => failure.problems));
  return values;
}

function literal(node: Node, scope: ValueScope): unknown {
  const plain = plainLiteral(node.meta?.value ?? "");
  if (plain !== undefined) return plain.value;
  return fail(scope, spanOf(node, scope), "invalid-number", "the number is out of range");
}

async function object(node: Node, scope: ValueScope): Promise<Record<string, unknown>> {
  const keyNodes = node.children.filter((_, index) => index % 2 === 0);
  const valueNodes = node.children.filter((_, index) => index % 2 === 1);
  const values = await evaluateAll(valueNodes, scope);
  const entries = new Map<string, unknown>();
  for (const [index, keyNode] of keyNodes.entries()) {
    const span = spanOf(keyNode, scope);
    // A bare word as a key is its own name; everything else is an expression.
    const key = keyNode.children.length === 0
      ? scope.file.text.slice(span.start, span.end)
      : await evaluate(keyNode.children[0], scope);
    if (typeof key !== "string" && typeof key !== "number" && typeof key !== "boolean") {
      fail(scope, span, "wrong-type", `${describe(key)} cannot be a key`);
    }
    if (entries.has(String(key))) {
      fail(scope, span, "duplicate-name", `the key "${key}" appears twice`);
    }
    entries.set(String(key), values[index]);
  }
  // fromEntries defines properties, so that even "__proto__" is plain data.
  return withPlaces(Object.fromEntries(entries), [...entries.keys()], node, scope);
}

/** The collection. Keeps the places of its items; `names` has them in the order of the nodes. */
function withPlaces<T extends object>(
  collection: T,
  names: readonly (string | number)[],
  node: Node,
  scope: ValueScope,
): T {
  const isItem = (_: Node, index: number) => node.type === "tuple" || index % 2 === 1;
  const nodes = node.children.filter(isItem);
  const places = nodes.map((node, index): [string, ItemPlace] => {
    const valueSpan = spanOf(inner(node), scope);
    const written = scope.file.text.slice(valueSpan.start, valueSpan.end);
    return [String(names[index]), { valueSpan, verbatim: isVerbatim(written) }];
  });
  keepItemPlaces(collection, new Map(places));
  return limited(collection, node, scope);
}

/** The node inside any parentheses. */
function inner(node: Node): Node {
  return node.type === "" ? inner(node.children[0]) : node;
}

async function call(node: Node, scope: ValueScope, item?: Node): Promise<unknown> {
  const { name = "", nameRange = node.range, expandedFinalArgument } = node.meta ?? {};
  const nameSpan = {
    file: scope.file,
    start: scope.offset(nameRange.start.byte),
    end: scope.offset(nameRange.end.byte),
  };
  if (expandedFinalArgument) {
    fail(scope, nameSpan, "unsupported-syntax", `${name}() does not support "..."`);
  }
  const result = callFunction(name, node, scope, evaluate);
  if (result !== undefined) return (await result).value;
  if (scope.keepCalls) {
    return new Call(name, nameSpan, await evaluateAll(node.children, scope));
  }
  const hint = didYouMean(name, ["env", "file"]) ?? inQuotes(item?.meta?.value, name) ??
    "a value can call env and file";
  return fail(scope, nameSpan, "unknown-function", `unknown function "${name}"`, hint);
}

function variable(node: Node, scope: ValueScope, item?: Node): unknown {
  const [root, name, ...steps] = node.meta?.traversal ?? [];
  if (root.segment === "constants") {
    if (name === undefined) return limited(scope.constants.values(), node, scope);
    return follow(constant(name, scope), steps, scope);
  }
  const span = stepSpan(root, scope);
  if (scope.keepCalls && name === undefined) return new Call(root.segment, span, []);
  const slip = name === undefined ? undefined : didYouMean(root.segment, ["constants"]);
  const written = item?.meta?.value;
  const rest = node.meta?.traversal?.slice(1).map(({ segment }) => segment) ?? [];
  const hint = hintOfName({ root: root.segment, rest, written: scope.template ?? written }) ??
    slip ?? inQuotes(written) ?? "a value can name constants, as constants.NAME";
  return fail(scope, span, "unknown-variable", `unknown variable "${root.segment}"`, hint);
}

function constant(step: Step, scope: ValueScope): unknown {
  const { constants } = scope;
  const name = String(keyOf(step));
  const found = constants.get(name);
  const excused = constants.incomplete && !constants.has(name);
  if (found?.failed || excused) throw new ValueFailure([]);
  if (found !== undefined) return found.value;
  const span = stepSpan(step, scope);
  if (constants.has(name)) {
    const hint = "a constant can use those above it";
    return fail(
      scope,
      span,
      "constant-order",
      `the constant "${name}" is declared below this`,
      hint,
    );
  }
  const hint = constants.hint(name);
  return fail(scope, span, "unknown-constant", `there is no constant "${name}"`, hint);
}

function follow(value: unknown, steps: readonly Step[], scope: ValueScope): unknown {
  return steps.reduce(
    (inner, step) => select(inner, keyOf(step), stepSpan(step, scope), scope),
    value,
  );
}

/** `collection[key]`; `span` is the place of the key. */
function select(collection: unknown, key: unknown, span: Span, scope: ValueScope): unknown {
  if (Array.isArray(collection)) {
    const index = toNumber(key);
    if (index === undefined) {
      fail(scope, span, "wrong-type", `a list has no field ${JSON.stringify(key)}`);
    }
    if (index in collection) return collection[index];
    return fail(scope, span, "unknown-field", `no item ${index} in a list of ${collection.length}`);
  }
  if (typeof collection !== "object" || collection === null || collection instanceof Call) {
    return fail(scope, span, "wrong-type", `${describe(collection)} has no fields`);
  }
  const found = Object.getOwnPropertyDescriptor(collection, String(key));
  if (found !== undefined) return found.value;
  const hint = didYouMean(String(key), Object.keys(collection));
  return fail(scope, span, "unknown-field", `the object has no field "${key}"`, hint);
}

async function unary(node: Node, scope: ValueScope, item?: Node): Promise<unknown> {
  const [child] = node.children;
  const operand = await evaluate(child, scope, item);
  const negate = node.meta?.operator === "negate";
  const value = negate ? toNumber(operand) : toBoolean(operand);
  if (value === undefined) {
    const expected = negate ? "a number" : "true or false";
    const message = `expected ${expected}, not ${describe(operand)}`;
    fail(scope, spanOf(child, scope), "wrong-type", message);
  }
  return typeof value === "number" ? -value : !value;
}

function keyOf(step: Step): unknown {
  return step.type === "indexTraversal" ? plainLiteral(step.segment)?.value : step.segment;
}

/** A step without the dot before it. */
function stepSpan(step: Step, scope: ValueScope): Span {
  const start = scope.offset(step.range.start.byte);
  const dot = scope.file.text[start] === "." ? 1 : 0;
  return { file: scope.file, start: start + dot, end: scope.offset(step.range.end.byte) };
}
