/** Clients that come back at once to a room with history, and what others notice of it. */
import type { Bar, Bench, Contender, Contest, Measurement, Scenario } from "../scenario.ts";
import { Server } from "../servers.ts";
import { runtimes, weir } from "./programs.ts";

const clients = 1000;
/** What each of them has missed. */
const missed = 50;
const room = "r";

/** Milliseconds in which others are watched without anybody that resumes. */
const CALM = 1_500;
const resuming =
  `${clients} clients connect at once and join a room with history, each with ${missed} messages missed.`;

/** How long it takes, and what others wait meanwhile. */
export const scenarios: readonly Scenario[] = [
  {
    name: "resume",
    title: `${clients} clients resume at once, ${missed} messages each`,
    about: `${resuming} From the first connection to the last message, on one machine with the ` +
      "clients.",
    unit: "ms",
    contenders: runtimes.map((runtime) => ({ name: `weir-${runtime}`, runtime })),
    bars: runtimes.map((runtime): Bar => ({ of: `weir-${runtime}`, figure: "cost", bound: 2_000 })),
    open: ({ runtime }, bench) =>
      open(runtime, bench, async (service) => ({ cost: await service.resume() })),
  },
  {
    name: "resume-others",
    title: "Requests of others while many resume",
    about:
      `${resuming} Another client sends requests one after the other: their 99th percentile. ` +
      "`calm` is the same while nobody resumes.",
    unit: "ms, 99th percentile",
    contenders: runtimes.flatMap((runtime) =>
      ["calm", "resume"].map((kind) => ({ name: `${kind}-${runtime}`, runtime }))
    ),
    bars: runtimes.map((runtime): Bar => ({
      of: `resume-${runtime}`,
      against: `calm-${runtime}`,
      figure: "growth",
      bound: 2,
    })),
    open: ({ name, runtime }, bench) =>
      open(runtime, bench, async (service) => {
        const work = () => name.startsWith("calm-") ? pause(CALM) : service.resume();
        return { cost: await service.waitsOfOthers(work) };
      }),
  },
];

async function open(
  runtime: Contender["runtime"],
  bench: Bench,
  round: (service: Service) => Promise<Measurement>,
): Promise<Contest> {
  await using stack = new AsyncDisposableStack();
  const spec = weir(runtime!, "bench/configs/resume");
  const server = stack.use(await Server.start(spec, bench.tools, bench.pinning));
  const service = await Service.open(server.port);
  stack.defer(() => service.close());
  const running = stack.move();
  return {
    measure: () => round(service),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** One service whose room has messages that clients can miss. */
class Service {
  readonly #port: number;
  readonly #speaker: Client;
  readonly #epoch: string;
  readonly #offset: number;

  private constructor(port: number, speaker: Client, epoch: string, offset: number) {
    this.#port = port;
    this.#speaker = speaker;
    this.#epoch = epoch;
    this.#offset = offset;
  }

  static async open(port: number): Promise<Service> {
    const speaker = await Client.open(port);
    const join = { type: "join_room", room, history: true };
    const { epoch, offset } = await speaker.ask(join);
    const text = "x".repeat(80);
    for (let n = 0; n < missed; n++) await speaker.ask({ type: "message", data: { n, text } });
    return new Service(port, speaker, String(epoch), Number(offset));
  }

  /** All resume at once. Returns the milliseconds until each has everything, and closes them. */
  async resume(): Promise<number> {
    const history = { epoch: this.#epoch, offset: this.#offset };
    const began = performance.now();
    const all = await Promise.all(Array.from({ length: clients }, async () => {
      const client = await Client.open(this.#port);
      const { recovered } = await client.ask({ type: "join_room", room, history });
      if (recovered !== true) throw new Error("a client was not recovered");
      await client.heard(missed);
      return client;
    }));
    const took = performance.now() - began;
    await Promise.all(all.map((client) => client.close()));
    return took;
  }

  /** The 99th percentile of what another client waits for its answers during some work, in milliseconds. */
  async waitsOfOthers(work: () => Promise<unknown>): Promise<number> {
    // In a thread: where the clients that resume compute, it would wait for them and not for the server.
    const asker = new Worker(new URL("../load/asker.ts", import.meta.url), { type: "module" });
    const next = () =>
      new Promise<unknown>((resolve) => asker.onmessage = ({ data }) => resolve(data));
    const ready = next();
    asker.postMessage({ port: this.#port });
    await ready;
    await work();
    const told = next();
    asker.postMessage("end");
    const waits = (await told as number[]).sort((a, b) => a - b);
    asker.terminate();
    return waits[Math.ceil(waits.length * 0.99) - 1];
  }

  close(): Promise<void> {
    return this.#speaker.close();
  }
}

/** One client. It counts the messages that it hears. */
class Client {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (answer: Record<string, unknown>) => void>();
  #heard = 0;
  #wanted = Infinity;
  #reached: () => void = () => {};
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "message" && ++this.#heard >= this.#wanted) this.#reached();
      this.#answers.get(frame.id)?.(frame);
      this.#answers.delete(frame.id);
    };
  }

  static open(port: number): Promise<Client> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
    return new Promise((resolve, reject) => {
      socket.onopen = () => resolve(new Client(socket));
      socket.onerror = () => reject(new Error("a client has no connection"));
    });
  }

  /** Sends a frame, and resolves with its answer. */
  ask(frame: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  /** Resolves when it has heard `count` messages. */
  heard(count: number): Promise<void> {
    this.#wanted = count;
    if (this.#heard >= count) return Promise.resolve();
    return new Promise((resolve) => this.#reached = resolve);
  }

  close(): Promise<void> {
    this.#socket.onerror = null;
    return new Promise((resolve) => {
      this.#socket.onclose = () => resolve();
      this.#socket.close();
    });
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
