/** Several runtimes within one process, linked by a backplane in memory. */
import type { BackplaneCapabilities } from "../../src/contract/backplane.ts";
import { type ConnectorType, defineConnector } from "../../src/contract/definition.ts";
import type { Model } from "../../src/model/mod.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { withTypes } from "./differential/connectors.ts";
import { type MemoryBackplane, MemoryBus } from "./memory-backplane.ts";
import { type ServingRuntime, startRuntime } from "./worker-runtimes.ts";

/** The blocks that such a configuration has beside `backplane = "bus"` of its "ws". */
export const BUS = 'service {\n name = "test"\n}\nconnector "bus" {\n type = "memory_bus"\n}\n';

/** The type of its "bus". */
function busType(create: (id: string) => MemoryBackplane) {
  return defineConnector({
    fields: {},
    backplane: {
      keeps: () => false,
      remembers: () => true,
      create: (_, { instance }) => create(instance),
    },
    create: () => ({}),
  });
}

/** The type to read it with. */
export const BUS_TYPE: Readonly<Record<string, ConnectorType>> = {
  memory_bus: busType(() => {
    throw new Error("start it with withBackplane");
  }),
};

/** Reads a configuration that has a connector of the type "memory_bus". */
export function loadLinked(config: string): Promise<Model> {
  return loadConfig(config, { connectors: BUS_TYPE });
}

/** One of the runtimes. */
export interface LinkedRuntime extends ServingRuntime {
  readonly link: MemoryBackplane;
}

/** Runs `act` with a runtime for each of these models, all linked by one bus. */
export async function withBackplane(
  models: readonly Model[],
  act: (...runtimes: LinkedRuntime[]) => Promise<void>,
  capabilities: Partial<BackplaneCapabilities> = {},
): Promise<void> {
  const bus = new MemoryBus(capabilities);
  const runtimes: LinkedRuntime[] = [];
  try {
    for (const model of models) {
      let link: MemoryBackplane | undefined;
      const memory_bus = busType((id) => link = bus.connect(id));
      const started = await startRuntime(withTypes(model, { memory_bus }));
      runtimes.push({ ...started, link: link! });
    }
    await act(...runtimes);
  } finally {
    await Promise.all(runtimes.map(({ runtime }) => runtime.close()));
  }
}
