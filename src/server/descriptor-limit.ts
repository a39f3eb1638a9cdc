/**
 * Keeps a listener usable when the process runs out of file descriptors. Without this, Bun retries to
 * accept a connection in a busy loop, and Deno never accepts one again. Node closes such connections.
 */
import { getLogger } from "@logtape/logtape";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import type { Listen, Listener } from "./listeners.ts";

/** How often descriptors are checked, in milliseconds. */
const INTERVAL = 250;
/** The port opens again when this many descriptors are free, so that it does not close at once. */
const MIN_FREE = 16;

/** The codes of the system for no free descriptor, in the process or on the machine. */
const NONE_FREE: readonly unknown[] = ["EMFILE", "ENFILE"];

/** The same function, but the port is closed while no descriptor is free. Open connections go on. */
export function withDescriptorLimit(listen: Listen): Listen {
  return async (site, address) => {
    const logger = getLogger(["weir", "server"]);
    /** Includes closed listeners that still have connections. */
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
      logger.error("out of file descriptors: port {port} is closed until some are free", { port });
      void suspend();
    };
    const reopen = async (): Promise<void> => {
      try {
        await open(port);
        // The service may have stopped meanwhile.
        if (stopped) void suspend();
        else logger.info("port {port} is open again", { port });
      } catch (error) {
        logger.error("failed to reopen port {port}, retrying: {error}", { port, error });
      } finally {
        opening = undefined;
      }
    };
    const { port } = await open(address.port);
    const timer = setInterval(() => {
      if (current !== undefined) suspendIfNeeded();
      else if (opening === undefined && areFree(MIN_FREE)) opening = reopen();
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

/** Whether `count` descriptors are free. Opens them for a moment, since there is no other way to know. */
function areFree(count: number): boolean {
  const opened: number[] = [];
  try {
    while (opened.length < count) opened.push(openSync(devNull, "r"));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && NONE_FREE.includes(error.code)) return false;
    throw error;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
