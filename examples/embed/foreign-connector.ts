/**
 * A connector of your own. This one joins the flows to an application's events: an `EventTarget`
 * is its source and its destination. Built-in connectors are made in the same way. It runs on
 * Deno, Bun and Node; in a project of yours, import "@weir/runtime".
 */
import {
  admit,
  attribute,
  type Connector,
  type ConnectorType,
  createRuntime,
  defineConnector,
  dispatch,
  type FlowHandler,
  text,
  type WriteRequest,
} from "../../mod.ts";

/** `type = "emitter"`: an event's `detail` is the payload, its type the operation or target. */
function emitter(events: EventTarget): ConnectorType {
  return defineConnector({
    // Attributes of the connector's block: checked when the configuration is read.
    fields: {
      prefix: attribute(text(), { about: "Stands before every event's type.", default: "" }),
    },
    source: {
      check: (operation) =>
        operation === undefined ? [{ message: "needs an operation: the type of an event" }] : [],
    },
    destination: {
      fields: {},
      check: ({ target }) =>
        target === undefined ? [{ message: "needs a target: the type of an event" }] : [],
    },
    create: ({ prefix }) => new Emitter(events, prefix),
  });
}

class Emitter implements Connector {
  readonly #events: EventTarget;
  readonly #prefix: string;
  readonly #inFlight = new Set<Promise<void>>();
  /** Ends all listeners at once. */
  readonly #listening = new AbortController();
  readonly #flows: { readonly operation: string; readonly flow: FlowHandler }[] = [];

  constructor(events: EventTarget, prefix: string) {
    this.#events = events;
    this.#prefix = prefix;
  }

  subscribe(operation: string | undefined, flow: FlowHandler): void {
    if (operation !== undefined) this.#flows.push({ operation, flow });
  }

  consume(): Promise<void> {
    const { signal } = this.#listening;
    for (const { operation, flow } of this.#flows) {
      const listener = (event: Event): void => {
        const running = this.#run(flow, operation, (event as CustomEvent<unknown>).detail);
        this.#inFlight.add(running);
        running.finally(() => this.#inFlight.delete(running));
      };
      this.#events.addEventListener(this.#prefix + operation, listener, { signal });
    }
    return Promise.resolve();
  }

  write({ target, payload }: WriteRequest): void {
    this.#events.dispatchEvent(new CustomEvent(this.#prefix + target, { detail: payload }));
  }

  stop(): Promise<void> {
    this.#listening.abort();
    return Promise.resolve();
  }

  async drain(): Promise<void> {
    await Promise.all(this.#inFlight);
  }

  /** A flow logs what fails in it, and this source has nobody to answer. */
  async #run(flow: FlowHandler, operation: string, payload: unknown): Promise<void> {
    const event = { operation, payload, input: { ...payload as object, body: payload } };
    await dispatch(admit([flow], event), event).all;
  }
}

const events = new EventTarget();
events.addEventListener("shop.alert", (event) => {
  console.log("alert:", JSON.stringify((event as CustomEvent<unknown>).detail));
});

const runtime = await createRuntime(
  `
  connector "shop" {
    type   = "emitter"
    prefix = "shop."
  }

  flow "large_orders" {
    from {
      connector = "shop"
      operation = "order"
      filter    = "input.total > 100"
    }
    transform {
      order = "input.id"
      text  = "'somebody spent ' + input.total"
    }
    to {
      connector = "shop"
      target    = "alert"
    }
  }
  `,
  { connectors: { emitter: emitter(events) } },
);

for (const order of [{ id: "A16", total: 20 }, { id: "A17", total: 250 }]) {
  events.dispatchEvent(new CustomEvent("shop.order", { detail: order }));
}
await runtime.close();
