/** Runtimes with metrics, whose flows deliver to a sink that a test controls. */
import { ConnectorError } from "../../src/base/errors.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { createRuntime, type Runtime } from "../../src/runtime/mod.ts";
import { Proxy } from "../support/proxy.ts";

/** What the sink does with a payload, by its field `do`. */
export class Sink {
  /** How many payloads it was asked to hold. */
  held = 0;
  #failed = false;
  readonly #gate = Promise.withResolvers<void>();

  /** A connector of the type `sink`. */
  get connectors() {
    const write = ({ payload }: { readonly payload: unknown }) => this.#take(payload);
    return {
      sink: defineConnector({ destination: { fields: {} }, create: () => ({ write }), fields: {} }),
    };
  }

  /** Lets go what it holds. */
  release(): void {
    this.#gate.resolve();
  }

  #take(payload: unknown): unknown {
    const { do: what } = payload as { readonly do?: string };
    if (what === "die") throw new ConnectorError("sink", "never", { permanent: true });
    if (what === "fail") throw new ConnectorError("sink", "not now");
    if (what === "retry" && !this.#failed) {
      this.#failed = true;
      throw new ConnectorError("sink", "not now");
    }
    if (what !== "hold") return undefined;
    this.held++;
    return this.#gate.promise;
  }
}

/** Runs a configuration with metrics, and a connector "sink", while `look` does its work. */
export async function withMetrics(
  config: string,
  look: (runtime: Runtime, sink: Sink) => Promise<void>,
): Promise<void> {
  const sink = new Sink();
  const { connectors } = sink;
  const text = `${config}\nconnector "sink" {\n  type = "sink"\n}\n`;
  const runtime = await createRuntime(text, { connectors, metrics: true });
  try {
    await look(runtime, sink);
  } finally {
    sink.release();
    await runtime.close();
  }
}

/** Calls `look` with a proxy before a port of this machine. */
export async function withProxy(
  port: number,
  look: (proxy: Proxy) => Promise<void>,
): Promise<void> {
  const proxy = await Proxy.open(port);
  try {
    await look(proxy);
  } finally {
    proxy.close();
  }
}
