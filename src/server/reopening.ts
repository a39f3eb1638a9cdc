/**
 * A listener that survives a lack of descriptors. Without one Bun asks for the next connection again
 * and again, as fast as it can, and Deno never asks again; Node by itself sends such connections away.
 */
import { getLogger } from "@logtape/logtape";
import { areFree } from "./descriptors.ts";
import type { Listen, Listener } from "./mod.ts";

/** How often it looks, in milliseconds. */
const INTERVAL = 250;
/** So many must be free before it opens again, so that it does not close at once. */
const ENOUGH = 16;

/** The same, but its port is closed while no descriptor is free. What is connected goes on. */
export function reopening(listen: Listen): Listen {
  return async (site, address) => {
    const logger = getLogger(["weir", "server"]);
    /** Also those that are closed and still have connections. */
    const listeners = new Set<Listener>();
    let current: Listener | undefined;
    let opening: Promise<void> | undefined;
    let stopped = false;

    const open = async (port: number): Promise<Listener> => {
      const listener = await listen(site, { ...address, port }, suspendIfNeeded);
      listeners.add(listener);
      return current = listener;
    };
    const suspend = (): Promise<void> | undefined => {
      const listener = current;
      current = undefined;
      return listener?.stop().then(() => void listeners.delete(listener));
    };
    const suspendIfNeeded = (): void => {
      if (current === undefined || areFree(1)) return;
      logger.error("no descriptor is free: port {port} is closed until there are some", { port });
      void suspend();
    };
    const reopen = async (): Promise<void> => {
      try {
        await open(port);
        // It may have been told to stop meanwhile.
        if (stopped) void suspend();
        else logger.info("port {port} is open again", { port });
      } catch (error) {
        logger.error("port {port} cannot be opened again, trying again: {error}", { port, error });
      } finally {
        opening = undefined;
      }
    };
    const { port } = await open(address.port);
    const timer = setInterval(() => {
      if (current !== undefined) suspendIfNeeded();
      else if (opening === undefined && areFree(ENOUGH)) opening = reopen();
    }, INTERVAL);
    return {
      port,
      async stop() {
        stopped = true;
        clearInterval(timer);
        await suspend();
      },
      async close() {
        clearInterval(timer);
        await opening;
        await Promise.all([...listeners].map((listener) => listener.close()));
      },
    };
  };
}
