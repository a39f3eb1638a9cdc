/**
 * CEL's conformance suite. Every expression about plain data has the value that the suite says,
 * except for those in the table of deviations, which must differ.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { tests as conformance } from "@bufbuild/cel-spec/testdata/conformance.js";
import { ExpressionError } from "../../src/base/errors.ts";
import { Compiler } from "../../src/expression/compile.ts";
import { TYPE_NAMES } from "../../src/expression/conversions.ts";
import { Failure } from "../../src/expression/failure.ts";
import { functionsIn, NAMESPACES } from "../../src/expression/functions.ts";
import { Uint } from "../../src/expression/kinds.ts";
import { MACROS } from "../../src/expression/macros.ts";
import { Meter } from "../../src/expression/meter.ts";
import { parse } from "../../src/expression/parser.ts";
import { define, type FunctionDefinition } from "../../src/expression/scope.ts";
import { Source } from "../../src/expression/source.ts";
import { childrenOf, type SyntaxNode } from "../../src/expression/syntax.ts";
import { DEVIATIONS } from "../support/cel-deviations.ts";

/** A value as the suite writes it: one field with the type as its name. */
type Written = Readonly<Record<string, unknown>>;

/** An expression of the suite. Without `value` and `evalError` its value is true. */
interface Case {
  readonly name: string;
  readonly expr: string;
  readonly value?: Written;
  readonly typedResult?: { readonly result: Written };
  readonly evalError?: unknown;
  readonly bindings?: Readonly<Record<string, { readonly value: Written }>>;
  readonly disableCheck?: boolean;
  readonly checkOnly?: boolean;
  readonly container?: string;
}

/** The parts of the suite that are about messages of Protocol Buffers alone. */
const MESSAGE_SUITES = ["dynamic", "enums", "proto2", "proto2_ext", "proto3", "wrappers"];
const MESSAGES = /TestAllTypes|google\.protobuf|"objectValue"/;

/** Whether an expression is about plain data and is evaluated. */
function isPlain({ expr, value, bindings, container, checkOnly }: Case): boolean {
  if (checkOnly === true || container !== undefined) return false;
  return !MESSAGES.test(JSON.stringify([expr, value, bindings]));
}

/** The expressions about plain data, by suite, with `suite/section/name` as their names. */
const SUITES = new Map<string, readonly (readonly [name: string, Case])[]>(
  (conformance.suites ?? []).filter(({ name }) => !MESSAGE_SUITES.includes(name)).map((suite) => [
    suite.name,
    (suite.suites ?? []).flatMap((section) =>
      (section.tests ?? []).map(({ original }) => original as unknown as Case).filter(isPlain)
        .map((it) => [`${suite.name}/${section.name}/${it.name}`, it] as const)
    ),
  ]),
);

/** The value of CEL that the suite has written. The names of a map's fields are strings in Weir. */
function read(written: Written): unknown {
  const [[type, value]] = Object.entries(written);
  switch (type) {
    case "int64Value":
      return BigInt(String(value));
    case "uint64Value":
      return new Uint(BigInt(String(value)));
    case "doubleValue":
      return Number(value);
    case "bytesValue":
      return Uint8Array.from(atob(String(value)), (unit) => unit.charCodeAt(0));
    case "listValue":
      return ((value as { values?: Written[] }).values ?? []).map(read);
    case "mapValue": {
      const { entries = [] } = value as { entries?: { key: Written; value: Written }[] };
      return Object.fromEntries(entries.map((it) => [String(read(it.key)), read(it.value)]));
    }
    default:
      return value;
  }
}

/** The scope with the bindings. A binding `a.b` is the field `b` of `a`. */
function scopeOf(bindings: Case["bindings"] = {}): Record<string, unknown> {
  const scope: Record<string, unknown> = {};
  // The longest name is the most exact one, so it comes last.
  for (const name of Object.keys(bindings).sort((a, b) => a.length - b.length)) {
    const path = name.split(".");
    const last = path.pop() ?? "";
    let map = scope;
    for (const part of path) map = (map[part] ??= {}) as Record<string, unknown>;
    map[last] = read(bindings[name].value);
  }
  return scope;
}

const FUNCTIONS = functionsIn({});

/**
 * The suite evaluates some expressions without a check phase, so that an unknown name fails when it
 * is evaluated. Weir always checks. Here such names are declared, as names that fail.
 */
function declareUnknown(
  node: SyntaxNode,
  scope: Record<string, unknown>,
  functions: Map<string, FunctionDefinition>,
): void {
  const fail = () => {
    throw new Failure("the name is unknown");
  };
  if (node.kind === "name" && !TYPE_NAMES.has(node.name) && !NAMESPACES.has(node.name)) {
    if (!Object.hasOwn(scope, node.name)) {
      Object.defineProperty(scope, node.name, { get: fail, enumerable: true });
    }
  }
  if (node.kind === "call" && !MACROS.has(`${node.name}/${node.args.length}`)) {
    if (!functions.has(node.name)) functions.set(node.name, define(0, 32, fail));
  }
  for (const child of childrenOf(node)) declareUnknown(child, scope, functions);
}

/** The value of an expression before it becomes plain data. Throws where it fails. */
function evaluate({ expr, bindings, disableCheck }: Case): unknown {
  const source = new Source(expr);
  const tree = parse(source);
  const scope = scopeOf(bindings);
  const functions = new Map(FUNCTIONS);
  if (disableCheck === true) declareUnknown(tree, scope, functions);
  const compiler = new Compiler(source, Object.keys(scope), functions);
  const run = compiler.compile(tree);
  return run(scope, new Array(compiler.slots), new Meter());
}

/** Whether a value made the expression fail: it has no mistake, and neither has Weir. */
function isFailure(error: unknown): boolean {
  if (error instanceof Failure) return true;
  if (!(error instanceof ExpressionError) || error.cause !== undefined) return false;
  return error.code !== "expression-syntax" && error.code !== "unknown-function";
}

/** Why the expression does not do what the suite says; undefined where it does. */
function difference(it: Case): string | undefined {
  let value: unknown;
  try {
    value = evaluate(it);
  } catch (error) {
    if (it.evalError !== undefined && isFailure(error)) return undefined;
    return `it failed: ${(error as Error).message}`;
  }
  if (it.evalError !== undefined) return "it did not fail";
  const written = it.value ?? it.typedResult?.result ?? { boolValue: true };
  try {
    assert.deepStrictEqual(comparable(value), comparable(read(written)));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The value with uints as text, since their fields are private, and 0 for -0, which equals it. */
function comparable(value: unknown): unknown {
  if (typeof value === "number") return value + 0;
  if (value instanceof Uint) return `uint ${value}`;
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, it]) => [name, comparable(it)]));
}

const deviations = new Set(DEVIATIONS.flatMap(({ names }) => names));

for (const [suite, cases] of SUITES) {
  test(`expression conformance: ${suite}`, () => {
    const problems = cases.flatMap(([name, it]) => {
      const found = difference(it);
      if (deviations.has(name)) {
        return found === undefined ? [`${name}: remove it from the deviations: it passes`] : [];
      }
      return found === undefined ? [] : [`${name}: ${it.expr}: ${found}`];
    });
    assert.deepEqual(problems, []);
  });
}

test("expression conformance: the deviations are expressions of the suite, few, and documented", () => {
  const names = [...SUITES.values()].flatMap((cases) => cases.map(([name]) => name));
  const known = new Set(names);
  assert.deepEqual([...deviations].filter((name) => !known.has(name)), []);
  assert.ok(names.length >= 1590, `${names.length} expressions`);
  assert.ok(deviations.size <= 109, `${deviations.size} deviations`);
  const page = readFileSync(new URL("../../docs/expressions.md", import.meta.url), "utf8");
  const text = page.replace(/\s+/g, " ");
  for (const { documented } of DEVIATIONS) assert.ok(text.includes(documented), documented);
});
