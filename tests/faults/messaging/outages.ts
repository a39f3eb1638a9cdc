/** The entries of "Downstream" about message brokers that are away, slow, or lose a connection. */
import assert from "node:assert/strict";
import { pingTimes } from "../pings.ts";
import { pause, until } from "../downstream.ts";
import { type Kind, settled } from "./kind.ts";
import { type Fault, messagingFaults, type Scene, type Scenes } from "./scene.ts";

/** Within so many milliseconds a connector must notice that its server is frozen. */
const FROZEN = 8_000;

/** Registers them. */
export async function messagingOutages(kinds: readonly Kind[]): Promise<void> {
  const fault = await messagingFaults(kinds);
  startEntry(fault);
  for (const one of interruptions) interruptionEntry(fault, one);
  frozenEntry(fault);
  slowEntries(fault);
}

/** Registers those about a server that runs all the while. */
export async function messagingDelays(kinds: readonly Kind[]): Promise<void> {
  const fault = await messagingFaults(kinds);
  interruptionEntry(fault, CUT);
  frozenEntry(fault);
  slowEntries(fault);
}

function startEntry(fault: Fault): void {
  fault(
    "down at start → tried again with pauses, /health/ready says which, flows that need it answer flow_failed, and it starts by itself later",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.servers((server) => server.stop());
      await scenes.serve({ proxied: true });
      const troubles = scenes.all.map(({ name }) => name).sort();
      const ready = await bench.ready();
      assert.deepEqual([ready.status, ready.troubles.toSorted()], [503, troubles]);
      await scenes.each(async (scene) => {
        assert.equal(await scene.publish({ n: 1 }), "flow_failed");
        // Some have two connections, one to publish.
        await until("four attempts", () => scene.proxy.times.length >= 4);
        const passed = performance.now() - scene.proxy.times[0];
        const most = 6 + 8 * passed / 1_000;
        assert.ok(scene.proxy.taken < most, `${scene.proxy.taken} attempts in ${passed} ms`);
      });
      await scenes.servers((server) => server.start());
      await bench.recovered();
      await scenes.each(async (scene) => {
        await until("it publishes", async () => await scene.publish({ n: 2 }) === undefined);
        await scene.arrived(2);
        const told = await bench.logged(/is away/);
        assert.ok(told.length <= 2 * scenes.all.length, JSON.stringify(told));
      });
    },
  );
}

/** What happens to servers, and how Weir is reached meanwhile. */
interface Interruption {
  readonly entry: string;
  readonly proxied?: boolean;
  readonly which?: (kind: Kind) => boolean;
  readonly act: (scenes: Scenes, publishers: readonly Publisher[]) => Promise<void>;
}

const CUT: Interruption = {
  entry: "connections cut three times",
  proxied: true,
  act: async (scenes) => {
    for (let cut = 1; cut <= 3; cut++) {
      for (const { proxy } of scenes.all) proxy.cut();
      await pause(150);
    }
  },
};

const interruptions: readonly Interruption[] = [
  {
    entry: "restarted by the operator",
    act: (scenes) => scenes.servers((server) => server.restart()),
  },
  {
    entry: "killed (SIGKILL), and started again",
    async act(scenes, publishers) {
      // What it acknowledges after this, and before it has saved it, would be lost.
      for (const { scene: { kind, server }, hold } of publishers) {
        if (kind.settle === undefined) continue;
        await hold();
        await kind.settle(server);
      }
      await scenes.servers(async (server) => {
        await server.kill();
        await pause(300);
        await server.start();
      });
    },
  },
  CUT,
  {
    entry: "connections closed by the operator",
    which: ({ disconnect }) => disconnect !== undefined,
    act: (scenes) => scenes.each(async ({ kind, server }) => await kind.disconnect?.(server)),
  },
];

function interruptionEntry(fault: Fault, { entry, proxied, which, act }: Interruption): void {
  fault(
    `${entry}, while clients publish → only what is in flight fails; it goes on by itself; what was acked comes, and a gap is counted where the server keeps nothing`,
    (scenes) => survives(scenes, (publishers) => act(scenes, publishers), proxied),
    which,
  );
}

/** Clients publish while something happens; afterwards nothing that was acked is missing. */
async function survives(
  scenes: Scenes,
  fault: (publishers: readonly Publisher[]) => Promise<void>,
  proxied = false,
): Promise<void> {
  const { bench } = scenes;
  await scenes.serve({ proxied });
  const publishers = scenes.all.map((scene) => new Publisher(scene));
  try {
    await until("numbers are acked", () => publishers.every(({ acked }) => acked.length >= 20));
    await fault(publishers);
    for (const publisher of publishers) publisher.goOn();
    await until(
      "numbers are acked again",
      () => publishers.every(({ fresh }) => fresh >= 20),
      20_000,
    );
    await bench.recovered();
  } finally {
    await Promise.all(publishers.map((publisher) => publisher.stop()));
  }
  await scenes.each(async (scene) => {
    const { acked, refused } = publishers[scenes.all.indexOf(scene)];
    assert.deepEqual(refused.filter((code) => code !== "flow_failed"), []);
    if (scene.kind.keeps) {
      await until("all that was acked", async () => {
        const come = new Set(await scene.numbers());
        return acked.every((n) => come.has(n));
      });
      await settled(await scene.peer());
    } else {
      const n = 1_000_000;
      await until("it publishes", async () => await scene.publish({ n }) === undefined);
      await scene.arrived(n);
      const { gaps } = await scene.counts();
      assert.ok(gaps >= 1, `${gaps} gaps`);
    }
  });
}

/** A client that publishes numbers, each its next one when the former is answered. */
class Publisher {
  readonly scene: Scene;
  readonly acked: number[] = [];
  /** The codes of the errors. */
  readonly refused: unknown[] = [];
  /** Publishes nothing until `goOn`; resolves when nothing is on its way. */
  readonly hold = async (): Promise<void> => {
    this.#held = true;
    await until("the last answer", () => !this.#atWork);
  };
  readonly #running: Promise<void>;
  #before = 0;
  #held = false;
  #atWork = false;
  #stopped = false;

  constructor(scene: Scene) {
    this.scene = scene;
    this.#running = this.#run();
    // `stop` tells it.
    this.#running.catch(() => {});
  }

  /** How many were acked since `goOn`. */
  get fresh(): number {
    return this.acked.length - this.#before;
  }

  goOn(): void {
    this.#before = this.acked.length;
    this.#held = false;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let n = 1; !this.#stopped; n++) {
      await pause(5);
      if (this.#held) continue;
      this.#atWork = true;
      const code = await this.scene.publish({ n });
      this.#atWork = false;
      if (code === undefined) this.acked.push(n);
      else this.refused.push(code);
    }
  }
}

function frozenEntry(fault: Fault): void {
  fault(
    `frozen → others are served, /health/ready is 503 within ${
      FROZEN / 1000
    } s, a publish fails after 5 s at the latest; afterwards it goes on`,
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve();
      await scenes.each((scene) => first(scene));
      const began = performance.now();
      await scenes.servers((server) => server.freeze());
      await scenes.each(async (scene) => {
        const code = await scene.publish({ n: 2 });
        const ms = performance.now() - began;
        // A message to nobody in particular may have been written to the socket already.
        assert.ok(code === "flow_failed" || !scene.kind.keeps, `${code} after ${ms} ms`);
        assert.ok(ms < 7_000, `a publish took ${ms} ms`);
      });
      const troubles = scenes.all.map(({ name }) => name).sort();
      const left = FROZEN - (performance.now() - began);
      await until("trouble", async () => {
        return (await bench.ready()).troubles.toSorted().join() === troubles.join();
      }, left);
      await scenes.servers((server) => Promise.resolve(server.thaw()));
      await bench.recovered();
      await scenes.each(async (scene) => {
        await until("it publishes", async () => await scene.publish({ n: 3 }) === undefined);
        await scene.arrived(3);
      });
    },
  );
}

function slowEntries(fault: Fault): void {
  fault(
    "stalled for 3 s → flows of 1 s time out, pings stay exact, nothing that was acked is lost",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve({ proxied: true, timeout: "1s" });
      await scenes.each((scene) => first(scene));
      const pings = pingTimes(bench.port, 4);
      for (const { proxy } of scenes.all) proxy.stall();
      await scenes.each(async (scene) => {
        const began = performance.now();
        const code = await scene.publish({ n: 2 });
        const ms = performance.now() - began;
        if (scene.kind.keeps) assert.equal(code, "timeout");
        assert.ok(ms < 2_500, `a flow of 1 s took ${ms} ms`);
      });
      assertExact(await pings);
      for (const { proxy } of scenes.all) proxy.resume();
      await bench.recovered();
      await scenes.each(async (scene) => {
        await until("it publishes", async () => await scene.publish({ n: 3 }) === undefined);
        await scene.arrived(3);
      });
    },
  );

  fault(
    "every byte 100 ms late → all is served, and nothing is taken for dead",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve({ proxied: true });
      for (const { proxy } of scenes.all) proxy.delay = 100;
      await scenes.each(async (scene) => {
        for (let n = 1; n <= 3; n++) assert.equal(await scene.publish({ n }), undefined);
        await scene.arrived(3);
        assert.equal(scene.proxy.times.length, scene.proxy.connections, "connections were lost");
      });
      assert.equal((await bench.ready()).status, 200);
    },
  );
}

async function first(scene: Scene): Promise<void> {
  await until("it publishes", async () => await scene.publish({ n: 1 }) === undefined);
  await scene.arrived(1);
}

/** A second apart, where the event loop did not stand still. */
export function assertExact(times: readonly number[]): void {
  for (let i = 1; i < times.length; i++) {
    const gap = times[i] - times[i - 1];
    assert.ok(gap > 500 && gap < 1900, `pings at ${times.map(Math.round)}`);
  }
}
