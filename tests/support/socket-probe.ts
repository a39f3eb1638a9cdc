/** A foreign connector that shows a test what flows deliver, and lets it decide how that ends. */
import type { WriteRequest } from "../../src/contract/connector.ts";
import type { ConnectorType } from "../../src/contract/definition.ts";
import { defineConnector } from "../../src/contract/definition.ts";

/** One delivery. */
export interface Delivery {
  readonly target: string | undefined;
  readonly payload: unknown;
  /** What the event's flow saw as `input`. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Ends the delivery; only where the probe holds. */
  release(): void;
  /** Lets the delivery fail; only where the probe holds. */
  fail(error: Error): void;
}

/** Its `type` in a configuration is `probe`; the target "fail" fails. */
export class Probe {
  /** True: each delivery waits for its `release`. */
  holds = false;
  readonly deliveries: Delivery[] = [];
  /** What a delivery to a target returns to its flow; null for other targets. */
  readonly results: Map<string, unknown> = new Map();

  /** To be handed in as `connectors`. */
  readonly connectors: Readonly<Record<string, ConnectorType>> = {
    probe: defineConnector({
      fields: {},
      destination: { fields: {} },
      create: () => ({ write: (request) => this.#write(request) }),
    }),
  };

  /** The payloads, in order. */
  get payloads(): unknown[] {
    return this.deliveries.map(({ payload }) => payload);
  }

  /** The targets, in order. */
  get targets(): (string | undefined)[] {
    return this.deliveries.map(({ target }) => target);
  }

  /** Waits until there are `count` deliveries in all. */
  async received(count: number): Promise<readonly Delivery[]> {
    await until(`${count} deliveries`, () => this.deliveries.length >= count);
    return this.deliveries;
  }

  /** Lets everything go that waits, and holds nothing from now on. */
  releaseAll(): void {
    this.holds = false;
    for (const delivery of this.deliveries) delivery.release();
  }

  #write({ target, payload, event }: WriteRequest): unknown {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const input = event?.input ?? {};
    this.deliveries.push({ target, payload, input, release: resolve, fail: reject });
    if (target === "fail") throw new Error("password=hunter2 at db.internal");
    const result = target === undefined ? undefined : this.results.get(target);
    return this.holds ? promise.then(() => result) : result;
  }
}

/**
 * Waits until a condition holds, looking every so many milliseconds, or less often the longer it takes;
 * fails after ten seconds by default.
 */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  every?: number,
  patience: number = 10_000,
): Promise<void> {
  const began = performance.now();
  while (!await condition()) {
    if (performance.now() > began + patience) throw new Error(`timed out waiting for ${what}`);
    await pause(every ?? nextLook(began));
  }
}

/**
 * After how many milliseconds to look again at what is waited for since `began`. A look may cost as
 * much as an event, and many tests wait at a time: what takes seconds need not be seen at once.
 */
export function nextLook(began: number): number {
  return Math.min(50, Math.max(5, (performance.now() - began) / 20));
}

/** Waits, in milliseconds. */
export function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
