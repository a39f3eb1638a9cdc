/** The drivers, by the name that `driver` selects. Each has a folder, and an entry here. */
import type { Driver } from "../driver.ts";

/** Every driver. Its module is loaded when a connector uses it. */
export const drivers: Readonly<Record<string, Driver>> = {
  sqlite: {
    unshared: ({ database }) =>
      database === ":memory:"
        ? "each of them would have a database of its own in memory; give it a file"
        : undefined,
    load: () => import("./sqlite/mod.ts"),
  },
};
