/** The drivers, by the name that `driver` selects. Each has a folder, and an entry here. */
import type { Driver } from "../broker.ts";
import { exchangeChecks } from "../routing.ts";

/** Every driver. Its module is loaded when a connector uses it. */
export const drivers: Readonly<Record<string, Driver>> = {
  rabbitmq: { ...exchangeChecks, load: () => import("./rabbitmq/mod.ts") },
  memory: {
    ...exchangeChecks,
    // With an address, memory is a substitute for a broker that others publish to.
    internal: ({ url, host }) => url === undefined && host === undefined,
    load: () => import("./memory/mod.ts"),
  },
};
