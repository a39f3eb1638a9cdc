/** Clients that write numbered rows through a server as fast as it acks them. */
import type { Weir } from "../support/process.ts";
import { opcodes } from "../support/socket-frames.ts";
import { FrameClient } from "./client.ts";

/** So many frames of one client wait for their acks. */
const WINDOW = 8;

/** One client of the fixture `talk`. */
export class Writer {
  /** What the server has said that it keeps. */
  readonly acked: string[] = [];
  /** The close code that it was told; undefined where the connection ended without one. */
  code: number | undefined;
  /** Resolves when the connection is gone. */
  readonly gone: Promise<void>;
  readonly #client: FrameClient;
  readonly #name: string;
  #sent = 0;

  private constructor(client: FrameClient, name: string) {
    this.#client = client;
    this.#name = name;
    for (let i = 0; i < WINDOW; i++) this.#write();
    this.gone = this.#read();
  }

  /** Connects and begins. */
  static async start({ port }: Weir, name: string): Promise<Writer> {
    const client = await FrameClient.connect(port);
    await client.open("/ws");
    return new Writer(client, name);
  }

  /** Leaves without a word. */
  destroy(): void {
    this.#client.destroy();
  }

  #write(): void {
    const text = `${this.#name}-${this.#sent++}`;
    this.#client.say({ type: "message", data: { to: "database", text }, id: text });
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.#client.next(60_000);
      if (frame === undefined) return;
      const { opcode, payload } = frame;
      if (opcode === opcodes.ping) this.#client.send({ opcode: opcodes.pong, payload });
      else if (opcode === opcodes.close) {
        this.code = payload.readUInt16BE();
        this.#client.send({ opcode, payload: payload.subarray(0, 2) });
      } else {
        const { type, id } = JSON.parse(payload.toString());
        if (type !== "ack") throw new Error(`got ${payload}`);
        this.acked.push(id);
        this.#write();
      }
    }
  }
}
