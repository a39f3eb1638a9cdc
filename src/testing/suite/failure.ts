/** What a rule says when a connector breaks it, and waiting with a limit. */
import { withTimeout } from "../../base/timeout.ts";

/** The section that explains every rule. */
const PAGE = "docs/write-a-connector.md#the-rules";

/**
 * A connector breaks a rule of the contract. The message says which rule, what was seen, and where
 * the rule is explained.
 */
export class ConnectorRuleError extends Error {
  /** `ConnectorRuleError`. */
  override readonly name = "ConnectorRuleError";
  /** The name of the rule, such as `close`. Names are stable. */
  readonly rule: string;
  /** What was seen, one sentence. */
  readonly seen: string;

  /** `title` is the rule itself, as a sentence. */
  constructor(rule: string, title: string, seen: string, options?: ErrorOptions) {
    super(`${seen}\n  rule:  ${rule}: ${title}\n  page:  ${PAGE}`, options);
    this.rule = rule;
    this.seen = seen;
  }
}

/** What a rule throws when it is broken: the runner of the rules adds which rule it is. */
export class Seen extends Error {
  override readonly name = "Seen";
}

/** Something failed that another rule is about. */
export class Blocked extends Error {
  override readonly name = "Blocked";
  /** The name of the other rule. */
  readonly rule: string;

  /** `cause` is what failed. */
  constructor(rule: string, cause: unknown) {
    super(textOf(cause), { cause });
    this.rule = rule;
  }
}

/** Fails the rule unless the condition holds. `seen` is one sentence. */
export function must(condition: boolean, seen: string): asserts condition {
  if (!condition) throw new Seen(seen);
}

/** Runs a part that another rule is about: a failure of it is not one of this rule. */
export async function needs<T>(rule: string, act: () => T | Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof Blocked ? error : new Blocked(rule, error);
  }
}

/** Waits for a part of a connector. Fails the rule if it rejects or takes too long. */
export async function within<T>(
  what: string,
  pending: () => T | PromiseLike<T>,
  patience: number,
): Promise<T> {
  const late = (): never => {
    throw new Seen(`${what} did not end within ${patience} ms`);
  };
  try {
    return await withTimeout(Promise.resolve(pending()), patience, late);
  } catch (error) {
    throw error instanceof Seen ? error : new Seen(`${what} failed: ${textOf(error)}`, {
      cause: error,
    });
  }
}

/** Waits until a condition holds. `seen` says what was seen instead when the time is up. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  seen: () => string,
  patience: number,
): Promise<void> {
  let waited = 0;
  while (!await condition()) {
    must(waited < patience, `${seen()} after ${patience} ms`);
    const before = performance.now();
    await pause(10);
    // A process that was busy meanwhile has given the connector no time.
    waited += Math.min(performance.now() - before, 100);
  }
}

/** Resolves after some milliseconds. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** An error, or any other thrown value, in words. */
export function textOf(error: unknown): string {
  if (error instanceof Seen || error instanceof Blocked) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message}` : `the value ${show(error)}`;
}

/** A value in words, at most 200 characters. */
export function show(value: unknown): string {
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = String(value); // Such as a bigint or a circle.
  }
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
