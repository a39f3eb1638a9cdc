/** A foreign connector that shows a test what flows deliver, and lets it decide how that ends. */
import type { ConnectorType, WriteRequest } from "../../src/connector.ts";
import { defineConnector } from "../../src/connector.ts";

/** One delivery. */
export interface Delivery {
  readonly target: string | undefined;
  readonly payload: unknown;
  /** What the event's flow saw as `input`. */
  readonly input: Readonly<Record<string, unknown>>;
  /** Ends the delivery; only where the probe holds. */
  release(): void;
}

/** Its `type` in a configuration is `probe`; the target "fail" fails. */
export class Probe {
  /** True: each delivery waits for its `release`. */
  holds = false;
  readonly deliveries: Delivery[] = [];

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

  /** Waits for so many deliveries in all. */
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
    const { promise, resolve } = Promise.withResolvers<void>();
    this.deliveries.push({ target, payload, input: event?.input ?? {}, release: resolve });
    if (target === "fail") throw new Error("password=hunter2 at db.internal");
    return this.holds ? promise : undefined;
  }
}

/** Waits until a condition holds, looking every few milliseconds; fails after ten seconds. */
export async function until(
  what: string,
  condition: () => boolean,
  every: number = 5,
): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await pause(every);
  }
}

/** Waits so many milliseconds. */
export function pause(duration: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration));
}
