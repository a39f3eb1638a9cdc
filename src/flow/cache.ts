/** The cache of a step: which result belongs to which request, for how long, and how many. */
import type { Clock } from "../base/clock.ts";
import { isObject } from "../base/json.ts";
import { isPromiseLike } from "../base/promise-like.ts";
import { digest } from "../base/text.ts";
import {
  type Expression,
  identity,
  METER,
  type Meter,
  meterOf,
  type Scope,
} from "../expression/mod.ts";

/** Caches the results of one step. */
export class StepCache {
  readonly #results: ResultCache;
  readonly #dependencies: Dependencies;

  /** `ttl` is in milliseconds. `options` are the step's own attributes. */
  constructor(ttl: number, options: unknown, clock: Clock) {
    this.#results = new ResultCache(ttl, clock);
    this.#dependencies = new Dependencies(options);
  }

  /**
   * Returns the cached result, or what `request` returns. `request` is given a part of the scope, so
   * that a shared result cannot depend on anything that its key does not contain.
   */
  get(
    scope: Scope,
    target: string | undefined,
    payload: unknown,
    request: (scope: Scope) => unknown,
  ): unknown {
    const narrowed = this.#dependencies.narrow(scope);
    const key = this.#dependencies.keyOf(narrowed, target, payload);
    return this.#results.get(key, () => request(narrowed));
  }
}

/** The limits of a cache. The oldest results are removed first. */
export interface CacheLimits {
  /** The largest number of results. */
  readonly results: number;
  /** About how many bytes they may take together. A single result that is larger is not cached. */
  readonly bytes: number;
}

const LIMITS: CacheLimits = { results: 10_000, bytes: 16 * 1024 * 1024 };

/** A result, or the promise of one. */
interface Entry {
  readonly value: unknown;
  /** On the clock's `elapsed`. */
  readonly until: number;
  readonly bytes: number;
}

/** Results by key. Failures are not cached. */
export class ResultCache {
  readonly #entries = new Map<string, Entry>();
  readonly #ttl: number;
  readonly #clock: Clock;
  readonly #limits: CacheLimits;
  #bytes = 0;

  /** `ttl` is in milliseconds, counted from when the result arrives. */
  constructor(ttl: number, clock: Clock, limits: CacheLimits = LIMITS) {
    this.#ttl = ttl;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The number of results, including those that have expired and not been requested since. */
  get size(): number {
    return this.#entries.size;
  }

  /** Returns the cached result, or what `request` returns. A pending promise is shared. */
  get(key: string, request: () => unknown): unknown {
    const known = this.#entries.get(key);
    if (known !== undefined && known.until > this.#clock.elapsed()) return known.value;
    const value = request();
    if (!isPromiseLike(value)) {
      this.#addResult(key, value);
      return value;
    }
    const pending = { value, until: Infinity, bytes: 0 };
    this.#add(key, pending);
    value.then(
      (result) => {
        if (this.#entries.get(key) === pending) this.#addResult(key, result);
      },
      () => {
        if (this.#entries.get(key) === pending) this.#delete(key);
      },
    );
    return value;
  }

  #addResult(key: string, value: unknown): void {
    const bytes = sizeOf(value, this.#limits.bytes);
    if (bytes > this.#limits.bytes) this.#delete(key);
    else this.#add(key, { value, until: this.#clock.elapsed() + this.#ttl, bytes });
  }

  #add(key: string, entry: Entry): void {
    this.#delete(key);
    this.#entries.set(key, entry);
    this.#bytes += entry.bytes;
    const { results, bytes } = this.#limits;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= results && this.#bytes <= bytes) break;
      this.#delete(oldest);
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

/** The parts of a scope that the expressions in a step's options read. */
export class Dependencies {
  /** Each path as its names; none is a part of another. */
  readonly #paths: readonly (readonly string[])[];

  /** Finds every expression in `options`, at any depth. */
  constructor(options: unknown) {
    const read = new Set(expressionsIn(options).flatMap(({ paths }) => [...paths]));
    const paths = [...read].map((path) => path.split("."));
    this.#paths = paths.filter((path) =>
      path[0] !== "constants" && !path.some((_, end) => end > 0 && read.has(joined(path, end)))
    );
  }

  /** A scope with these parts and the constants only. */
  narrow(scope: Scope): Scope {
    const narrowed: Record<string, unknown> & { [METER]?: Meter } = emptyMap();
    for (const path of this.#paths) copy(scope, narrowed, path);
    narrowed.constants = scope.constants;
    // The budget of the event that makes the request. It changes no result, so the key is without it.
    const meter = meterOf(scope);
    if (meter !== undefined) narrowed[METER] = meter;
    return narrowed;
  }

  /** A key that two requests share exactly if a connector cannot tell them apart. */
  keyOf(narrowed: Scope, target: string | undefined, payload: unknown): string {
    const { constants: _, ...seen } = narrowed;
    return digest(identity([target, payload, seen]));
  }
}

function joined(path: readonly string[], end: number): string {
  return path.slice(0, end).join(".");
}

/** Copies the value at a path, if there is one. */
function copy(from: Scope, to: Record<string, unknown>, path: readonly string[]): void {
  let source: unknown = from;
  let target = to;
  for (const [index, name] of path.entries()) {
    // A scope may compute its variables; below them only own fields are data.
    if (index > 0 && !(isObject(source) && Object.hasOwn(source, name))) return;
    const value = (source as Record<string, unknown>)[name];
    if (index === path.length - 1) {
      target[name] = value;
      return;
    }
    source = value;
    target = (target[name] ??= emptyMap()) as Record<string, unknown>;
  }
}

/** Without a prototype, since a field may have any name. */
function emptyMap(): Record<string, unknown> {
  return Object.create(null) as Record<string, unknown>;
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

/** The bytes of an object beside its fields, and of a field beside its value. */
const OBJECT = 48;
const FIELD = 16;

/** About how many bytes of memory a value takes. Stops counting beyond `limit`. */
export function sizeOf(value: unknown, limit: number): number {
  const seen = new Set<object>();
  const left: unknown[] = [value];
  let bytes = 0;
  while (left.length > 0 && bytes <= limit) {
    const item = left.pop();
    // Engines store text in one or two bytes for each unit.
    if (typeof item === "string") bytes += 2 * item.length;
    if (typeof item !== "object" || item === null || seen.has(item)) continue;
    seen.add(item);
    if (ArrayBuffer.isView(item)) {
      bytes += OBJECT + item.byteLength;
      continue;
    }
    const values: readonly unknown[] = Array.isArray(item) ? item : Object.values(item);
    bytes += OBJECT + FIELD * values.length;
    if (values !== item) { for (const name of Object.keys(item)) bytes += 2 * name.length; }
    if (bytes <= limit) { for (const inner of values) left.push(inner); }
  }
  return bytes;
}
