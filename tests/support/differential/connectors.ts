/**
 * The connectors of a test among those of a configuration: "channel", whose messages every instance
 * hears, and "done", which tells that a flow has come to its end, fails, or has values of each kind.
 */
import { ConnectorError } from "../../../src/base/errors.ts";
import type { FlowHandler } from "../../../src/contract/connector.ts";
import { type ConnectorType, defineConnector } from "../../../src/contract/definition.ts";
import { admit, dispatch } from "../../../src/contract/dispatch.ts";
import { wait } from "./wait.ts";
import type { Model } from "../../../src/model/mod.ts";

const BIG = 9_007_199_254_740_993n;

/** Values of each kind. */
const KINDS = {
  none: null,
  big: BIG,
  at: new Date("2026-01-01T00:00:00Z"),
  raw: Uint8Array.of(0, 255),
  nested: { list: [1, { user: "cleo" }], big: BIG },
  texts: { $value: ["time", "7"] },
};

/** The types that a configuration is read with. */
export const TYPES: Readonly<Record<string, ConnectorType>> = typesOf(() => {}, () => {});

function typesOf(
  done: () => void,
  subscribe: (operation: string | undefined, handler: FlowHandler) => void,
): Readonly<Record<string, ConnectorType>> {
  return {
    channel: defineConnector({
      fields: {},
      source: { kind: "messages", everyInstance: () => true },
      create: () => ({ subscribe }),
    }),
    done: defineConnector({
      fields: {},
      destination: { fields: {} },
      create: () => ({
        write({ operation }) {
          if (operation === "kinds") return KINDS;
          done();
          if (operation === "fail") throw new ConnectorError("done", "it fails");
        },
      }),
    }),
  };
}

/** Those of the runtimes of one service. */
export class TestConnectors {
  #ended = 0;
  readonly #channels = new Map<string | undefined, FlowHandler[]>();
  readonly #types = typesOf(
    () => void this.#ended++,
    (operation, handler) => {
      const handlers = this.#channels.get(operation) ?? [];
      this.#channels.set(operation, [...handlers, handler]);
    },
  );

  /** A model with these connectors. */
  equip(model: Model): Model {
    return withTypes(model, this.#types);
  }

  /** Starts so many flows that nobody waits for; resolves when they have come to their end. */
  async ending(start: () => unknown, flows = 1): Promise<void> {
    const before = this.#ended;
    await start();
    await wait("the end of flows", () => this.#ended >= before + flows);
    // Where it has failed, its fallback begins now.
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Publishes to the channel; resolves when the flows of all instances have ended. */
  async publish(operation: string, input: Readonly<Record<string, unknown>>): Promise<void> {
    const handlers = this.#channels.get(operation) ?? [];
    await Promise.all(handlers.map((handler) => {
      const event = { operation, payload: input, input };
      return dispatch(admit([handler], event), event).all;
    }));
  }
}

/** A model whose connectors of these types have another definition. */
export function withTypes(model: Model, types: Readonly<Record<string, ConnectorType>>): Model {
  const connectors = new Map([...model.connectors].map(([name, connector]) => [
    name,
    { ...connector, definition: types[connector.type] ?? connector.definition },
  ]));
  return { ...model, connectors };
}
