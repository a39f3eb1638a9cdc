/**
 * What the result of a cached step may depend on. A connector is shown nothing else, so that a key
 * that is made of it tells all results apart.
 */
import {
  type Expression,
  identity,
  METER,
  type Meter,
  meterOf,
  type Scope,
} from "../expression/mod.ts";
import { digest } from "./digest.ts";

/** The parts of a scope that the expressions in a step's options read. */
export class Dependencies {
  /** Each path in its names; none is a part of another. */
  readonly #paths: readonly (readonly string[])[];

  /** Finds every expression in `options`, however deep. */
  constructor(options: unknown) {
    const read = new Set(expressionsIn(options).flatMap(({ paths }) => [...paths]));
    const paths = [...read].map((path) => path.split("."));
    this.#paths = paths.filter((path) =>
      path[0] !== "constants" && !path.some((_, end) => end > 0 && read.has(joined(path, end)))
    );
  }

  /** The scope with these parts and the constants, which are the same for everybody, alone. */
  narrow(scope: Scope): Scope {
    const narrowed: Record<string, unknown> & { [METER]?: Meter } = emptyMap();
    for (const path of this.#paths) copy(scope, narrowed, path);
    narrowed.constants = scope.constants;
    // The steps of the event that asks. They are not part of the key: they change no result.
    const meter = meterOf(scope);
    if (meter !== undefined) narrowed[METER] = meter;
    return narrowed;
  }

  /** A key that two askers share exactly when a connector cannot tell them apart. */
  keyOf(narrowed: Scope, target: string | undefined, payload: unknown): string {
    const { constants: _, ...seen } = narrowed;
    return digest(identity([target, payload, seen]));
  }
}

function joined(path: readonly string[], end: number): string {
  return path.slice(0, end).join(".");
}

/** Copies the value at a path, where there is one. */
function copy(from: Scope, to: Record<string, unknown>, path: readonly string[]): void {
  let source: unknown = from;
  let target = to;
  for (const [index, name] of path.entries()) {
    // A scope may make its variables on first use; below them only own fields are data.
    if (index > 0 && !(isMap(source) && Object.hasOwn(source, name))) return;
    const value = (source as Record<string, unknown>)[name];
    if (index === path.length - 1) {
      target[name] = value;
      return;
    }
    source = value;
    target = (target[name] ??= emptyMap()) as Record<string, unknown>;
  }
}

/** Without a prototype, so that a field may have any name. */
function emptyMap(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function expressionsIn(value: unknown, seen: Set<object> = new Set()): Expression[] {
  if (typeof value !== "object" || value === null || seen.has(value)) return [];
  seen.add(value);
  return isExpression(value)
    ? [value]
    : Object.values(value).flatMap((item) => expressionsIn(item, seen));
}

function isExpression(value: object): value is Expression {
  return "evaluate" in value && typeof value.evaluate === "function" && "paths" in value &&
    value.paths instanceof Set;
}
