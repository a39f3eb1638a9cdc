/** `type = "pulse"`: starts its flows again and again. The smallest source. */
import {
  admit,
  attribute,
  type Connector,
  type ConnectorContext,
  defineConnector,
  dispatch,
  duration,
  type FlowHandler,
  InFlight,
} from "@weir/runtime";

class Pulse implements Connector {
  readonly #every: number;
  readonly #context: ConnectorContext;
  readonly #flows: FlowHandler[] = [];
  readonly #inFlight = new InFlight();
  #count = 0;
  #cancel = (): void => {};

  constructor(every: number, context: ConnectorContext) {
    this.#every = every;
    this.#context = context;
  }

  /** Called for each flow, before `start`. */
  subscribe(_operation: string | undefined, flow: FlowHandler): void {
    this.#flows.push(flow);
  }

  /** Begins to produce events. */
  consume(): Promise<void> {
    this.#wait();
    return Promise.resolve();
  }

  /** Produces no more events. */
  stop(): Promise<void> {
    this.#cancel();
    return Promise.resolve();
  }

  /** Waits for the flows that still run. */
  drain(): Promise<void> {
    return this.#inFlight.empty();
  }

  #wait(): void {
    this.#cancel = this.#context.clock.after(this.#every, () => {
      this.#wait();
      void this.#inFlight.add(this.#beat());
    });
  }

  async #beat(): Promise<void> {
    const payload = { count: ++this.#count };
    const event = { operation: "beat", payload, input: payload };
    try {
      await dispatch(admit(this.#flows, event), event).all;
    } catch (error) {
      // A bug: the failure of a flow is a result, and its flow has logged it.
      this.#context.logger.error("a beat failed: {error}", { error });
    }
  }
}

const pulse = defineConnector({
  fields: {
    every: attribute(duration(), { about: "The time between two beats.", default: "1s" }),
  },
  source: {
    check: (operation) =>
      operation === "beat"
        ? []
        : [{ attribute: "operation", message: 'has only the operation "beat"' }],
  },
  test: (options) => options,
  create: ({ every }, context) => new Pulse(every, context),
});

export default { pulse };
