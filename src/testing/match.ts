/** Compares received values with expected ones: named fields at any depth, lists item by item. */
import { isObject } from "../base/json.ts";

/** One place where the two differ. */
export interface Difference {
  /** Such as `data.items[0].id`; empty for the whole value. */
  readonly path: string;
  /** A sentence. */
  readonly message: string;
}

/**
 * Where `received` does not have what `expected` names. An absent field equals null. Lists must have
 * the same length.
 */
export function differences(expected: unknown, received: unknown, path = ""): Difference[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(received)) return [unlike(expected, received, path)];
    if (expected.length !== received.length) {
      return [{ path, message: `expected ${items(expected)}, received ${items(received)}` }];
    }
    return expected.flatMap((item, index) =>
      differences(item, received[index], `${path}[${index}]`)
    );
  }
  if (isObject(expected)) {
    if (!isObject(received)) return [unlike(expected, received, path)];
    return Object.entries(expected).flatMap(([name, value]) => {
      const found = Object.hasOwn(received, name) ? received[name] : undefined;
      return differences(value, found, join(path, name));
    });
  }
  return expected === (received ?? null) ? [] : [unlike(expected, received, path)];
}

/** A value as text. */
export function show(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

/** A copy of a value as JSON, which later changes do not affect. */
export function snapshot(value: unknown): unknown {
  if (value === undefined) return undefined;
  try {
    const text = JSON.stringify(value, plain);
    return text === undefined ? String(value) : JSON.parse(text);
  } catch {
    // A cycle, which the connector will report.
    return String(value);
  }
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value !== "bigint") return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

function unlike(expected: unknown, received: unknown, path: string): Difference {
  return { path, message: `expected ${show(expected)}, received ${show(received)}` };
}

function items({ length }: readonly unknown[]): string {
  return length === 1 ? "1 item" : `${length} items`;
}

function join(path: string, name: string): string {
  if (!/^[\p{L}_][\p{L}\p{N}_-]*$/u.test(name)) return `${path}[${JSON.stringify(name)}]`;
  return path === "" ? name : `${path}.${name}`;
}
