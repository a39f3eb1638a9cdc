/** The thread of `Readers`: clients that read as well as they can, and measure what they get. */
import type { Buffer } from "node:buffer";
import { parentPort, workerData } from "node:worker_threads";
import { opcodes } from "../support/socket-frames.ts";
import { FrameClient } from "./client.ts";
import { clockTime, type ReaderOrder, type ReaderReport } from "./reader-thread.ts";

const { port, count, room } = workerData as ReaderOrder;

/** What one client has seen. */
class Reader {
  readonly #client: FrameClient;
  /** The number of the message that must come next; undefined where none has come. */
  #next: number | undefined;
  received = 0;
  pings = 0;
  problem: string | undefined;
  /** From the sending of a message to its arrival, in milliseconds. */
  latencies: number[] = [];

  private constructor(client: FrameClient) {
    this.#client = client;
  }

  static async start(): Promise<Reader> {
    const client = await FrameClient.connect(port);
    await client.open("/ws");
    client.say({ type: "join_room", room, id: 0 });
    await client.hear();
    const reader = new Reader(client);
    reader.#read().catch((error) => reader.problem ??= String(error));
    return reader;
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.#client.next(600_000);
      if (frame === undefined) throw new Error("the connection ended");
      if (frame.opcode === opcodes.ping) {
        this.pings++;
        this.#client.send({ opcode: opcodes.pong, payload: frame.payload });
      } else if (frame.opcode === opcodes.text) this.#take(frame.payload);
      else throw new Error(`opcode ${frame.opcode}`);
    }
  }

  #take(payload: Buffer): void {
    const { data } = JSON.parse(payload.toString()) as { data: { n: number; at: number } };
    this.#next ??= data.n;
    if (data.n !== this.#next++) throw new Error(`message ${data.n} came too early`);
    this.received++;
    this.latencies.push(clockTime() - data.at);
  }
}

const readers: Reader[] = [];
while (readers.length < count) readers.push(await Reader.start());

parentPort?.on("message", () => {
  const latencies = Float64Array.from(readers.flatMap((reader) => reader.latencies)).sort();
  for (const reader of readers) reader.latencies = [];
  const report: ReaderReport = {
    problems: readers.flatMap(({ problem }) => problem ?? []),
    received: readers.map(({ received }) => received),
    pings: readers.map(({ pings }) => pings),
    p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
  };
  parentPort?.postMessage(report);
});
parentPort?.postMessage("ready");
