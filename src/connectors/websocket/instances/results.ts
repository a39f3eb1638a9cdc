/** What messages and orders have done in one instance, for the one that asks about it. */
import { endOfTick } from "../../../base/clock.ts";
import { isObject } from "../../../base/json.ts";
import { fromUtf8 } from "../../../expression/bytes.ts";
import type { Executed } from "../joining.ts";

/** What a message or an order has done in one instance. */
export interface Result extends Executed {
  /** Why it has failed there for all clients; absent where it has not. */
  readonly problem?: string;
}

/** Nothing was done. */
export const NOTHING_DONE: Result = { recipients: 0, refused: 0, unsubscribed: 0 };

/** Results that nobody has asked for are forgotten when there are more than this. */
const MOST = 10_000;

/** The results that may still be asked for. */
export class Results {
  readonly #results = new Map<string, Result | Promise<Result>>();
  /** The message that holds back all that follow it. */
  #held: Promise<unknown> | undefined;

  /** Keeps what was done for the message with this number. The promise must not reject. */
  keep(from: string, number: number, result: Result | Promise<Result>): void {
    this.#results.set(keyOf(from, number), result);
    if (this.#results.size <= MOST) return;
    for (const oldest of this.#results.keys()) {
      this.#results.delete(oldest);
      break;
    }
  }

  /** What was done for it, once; nothing where it was not heard here. */
  take(from: string, number: number): Result | Promise<Result> {
    const key = keyOf(from, number);
    const result = this.#results.get(key) ?? NOTHING_DONE;
    this.#results.delete(key);
    return result;
  }

  /** A message holds back all that follow it until this promise has settled. It must not reject. */
  holdBack(message: Promise<unknown>): void {
    this.#held = message;
    void message.then(() => {
      if (this.#held === message) this.#held = undefined;
    });
  }

  /** As `take`, for what this instance itself has sent and heard, which may be held back. */
  async takeOwn(id: string, number: number): Promise<Result> {
    while (this.#held !== undefined) {
      await this.#held;
      // Then those that were held back are handled, until one of them is held up itself.
      await new Promise<void>(endOfTick);
    }
    return await this.take(id, number);
  }
}

function keyOf(from: string, number: number): string {
  return `${from} ${number}`;
}

/** All results together. The problem is that of the first which has one. */
export function sumOf(results: readonly Result[]): Result {
  const sum = (count: (result: Result) => number) =>
    results.reduce((total, result) => total + count(result), 0);
  const problem = results.find((result) => result.problem !== undefined)?.problem;
  return {
    recipients: sum(({ recipients }) => recipients),
    refused: sum(({ refused }) => refused),
    unsubscribed: sum(({ unsubscribed }) => unsubscribed),
    ...(problem !== undefined && { problem }),
  };
}

const encoder = new TextEncoder();

/** Encodes an answer. */
export function encodeResult(result: Result): Uint8Array {
  return encoder.encode(JSON.stringify(result));
}

/** Decodes an answer; undefined where it is none. */
export function decodeResult(bytes: Uint8Array): Result | undefined {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes) ?? "");
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { recipients, refused, unsubscribed, problem } = value;
  if (!isCount(recipients) || !isCount(refused) || !isCount(unsubscribed)) return undefined;
  if (problem !== undefined && typeof problem !== "string") return undefined;
  return { recipients, refused, unsubscribed, ...(problem !== undefined && { problem }) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}
