/** What happens to a client's connections while a test works: everything that networks and servers do. */
import type { Proxy } from "./proxy.ts";
import { until } from "./socket-probe.ts";

/** What a disturbance works with. */
export interface Disturbed {
  readonly proxy: Proxy;
  /** What the client says of itself. */
  status(): string | Promise<string>;
  /** Whether the client waits for something. */
  waits(): boolean | Promise<boolean>;
  /** Ends the server's process, and starts it again on its port; absent where it has none. */
  readonly restart?: (signal: "SIGTERM" | "SIGKILL") => Promise<void>;
}

/** One of them. It ends when the client can connect again. */
export type Disturbance = (world: Disturbed) => void | Promise<void>;

/**
 * How long a client may take for what it must do, in milliseconds: twice its longest wait, and less than
 * the limit of the process, so that what hangs is named.
 */
const PATIENCE = 60_000;

/** Does something, and waits until the client has connected again because of it. */
async function reconnects({ proxy }: Disturbed, act: () => void): Promise<void> {
  const { taken } = proxy;
  act();
  await until("another connection", () => proxy.taken > taken, undefined, PATIENCE);
}

/** Those of the network. */
export const network: Readonly<Record<string, Disturbance>> = {
  cut: (world) => reconnects(world, () => world.proxy.cut()),
  // These two come when the bytes have passed, which may be after this part of the work.
  "cut within an answer": ({ proxy }) => void proxy.cutWhen({ direction: "to client", bytes: 700 }),
  "cut within a request": ({ proxy }) =>
    void proxy.cutWhen({ direction: "to server", bytes: 1500 }),
  async "stalled for a moment"({ proxy, waits }) {
    proxy.stall();
    await until("requests that wait", waits, undefined, PATIENCE);
    proxy.resume();
  },
  async "stalled, then cut"(world) {
    const { proxy, waits } = world;
    proxy.stall();
    await until("requests that wait", waits, undefined, PATIENCE);
    await reconnects(world, () => {
      proxy.cut();
      proxy.resume();
    });
  },
  // What was sent is gone, and neither side hears of it.
  swallowed: (world) => reconnects(world, () => world.proxy.swallow()),
  async "proxy restarted"({ proxy, status }) {
    proxy.refuse();
    proxy.cut();
    await until("the client's notice", async () => await status() !== "open", undefined, PATIENCE);
    await proxy.accept();
  },
};

/** Those of the network and of the server. */
export const everything: Readonly<Record<string, Disturbance>> = {
  ...network,
  "server drained": ({ restart }) => restart?.("SIGTERM"),
  "server killed": ({ restart }) => restart?.("SIGKILL"),
};

/**
 * Does the work in parts, one for each disturbance of each round. Every second one comes after the
 * first answer, the others at once. The last number of each part is begun behind the disturbance, since
 * all others may be done by then. `work` begins with some numbers, and returns a promise for each.
 */
export async function disturb(
  kinds: Readonly<Record<string, Disturbance>>,
  world: Disturbed,
  { numbers, rounds }: { readonly numbers: number; readonly rounds: number },
  work: (numbers: readonly number[]) => readonly Promise<unknown>[],
): Promise<void> {
  const turns = Array.from({ length: rounds }, () => Object.entries(kinds)).flat();
  const size = Math.ceil(numbers / turns.length);
  for (const [turn, [name, disturbance]] of turns.entries()) {
    const first = turn * size;
    const length = Math.min(numbers, first + size) - first;
    const isOpen = async () => await world.status() === "open";
    await until("a connection", isOpen, undefined, PATIENCE);
    const part = Array.from({ length }, (_, n) => first + n);
    const answers = work(part.slice(0, -1));
    const all = Promise.all(answers);
    // It is awaited later.
    all.catch(() => {});
    try {
      if (turn % 2 === 1) await Promise.race(answers);
      const disturbed = disturbance(world);
      await Promise.all([disturbed, all, ...work(part.slice(-1))]);
    } catch (cause) {
      throw new Error(`${name}, disturbance ${turn + 1}: ${cause}`, { cause });
    }
  }
}
