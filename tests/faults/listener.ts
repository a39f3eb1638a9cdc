/** A member of a room whose messages are numbered: it notices each that is lost, doubled or changed. */
import assert from "node:assert/strict";
import { opcodes, type ServerFrame } from "../support/socket-frames.ts";
import { type FrameClient, showFrame } from "./client.ts";
import { within } from "./within.ts";

/** The room that everybody is in. */
export const ROOM = "everybody";

/** A message of the room: of many lengths, and with text of every kind. */
export function message(n: number): { readonly n: number; readonly text: string } {
  return { n, text: `ä€🙂\u0000"\\${"x".repeat(n % 300)}` };
}

/** The `id` of the last question. */
const LAST = "the last one";

/** One member. */
export class Listener {
  readonly client: FrameClient;
  /** How many messages the room had when this one had joined: the first may be one before. */
  readonly #joinedAt: number;
  /** The number that must come next; undefined where none has come. */
  #next: number | undefined;
  #problem: string | undefined;
  #code: number | undefined;
  #answered = 0;
  #reading: Promise<void> | undefined;

  private constructor(client: FrameClient, joinedAt: number) {
    this.client = client;
    this.#joinedAt = joinedAt;
    client.skim = (frame) => this.#take(frame);
  }

  /**
   * Joins the room, which had `sent` messages until now. What comes from it is not for the client's
   * reader any more.
   */
  static async join(client: FrameClient, sent: () => Promise<number>): Promise<Listener> {
    const id = crypto.randomUUID();
    client.say({ type: "join_room", room: ROOM, id });
    assert.deepEqual(await client.hear(), { type: "ack", id });
    return new Listener(client, await sent());
  }

  /** Reads by itself from now on: beside the room's messages, nothing but pings may come. */
  listen(): void {
    this.#reading = this.#read().catch((error) => void (this.#problem ??= String(error)));
  }

  /** It has got all `sent` and nothing else, and is still there: a last question is answered. */
  async complete(sent: number): Promise<void> {
    await within("messages of others", () => this.#next ?? 0, sent);
    this.client.say({ type: "leave_room", room: "none", id: LAST });
    await within("last answers to others", () => this.#answered, 1);
    assert.deepEqual([this.#problem, this.client.ended], [undefined, false]);
  }

  /** A close frame has told it that the server ends, after at least so many messages. */
  async ended(code: number, count: number): Promise<void> {
    await this.#reading;
    assert.deepEqual([this.#problem, this.#code], [undefined, code]);
    assert.ok((this.#next ?? 0) >= count, `${this.#next} of ${count} messages`);
  }

  /** What it missed of all `sent`, it missed by the end of its connection. */
  async noHole(sent: number): Promise<void> {
    const got = async (): Promise<number> => {
      await this.client.rest({ patience: 0 });
      const over = this.client.ended || this.client.socket.readyState !== "open";
      return over || this.#problem !== undefined ? sent : this.#next ?? this.#joinedAt;
    };
    await within("messages", got, sent);
    assert.equal(this.#problem, undefined);
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.client.next(60_000);
      if (frame === undefined) return;
      const { opcode, payload } = frame;
      if (opcode === opcodes.ping) this.client.send({ opcode: opcodes.pong, payload });
      else if (opcode === opcodes.close) {
        this.#code = payload.readUInt16BE();
        this.client.send({ opcode, payload: payload.subarray(0, 2) });
      } else if (payload.toString() === `{"type":"ack","id":"${LAST}"}`) this.#answered++;
      else this.#problem ??= `got ${showFrame(frame).slice(0, 200)}`;
    }
  }

  #take({ opcode, payload }: ServerFrame): boolean {
    if (opcode !== opcodes.text || !payload.includes(`"room":"${ROOM}"`)) return false;
    const { data } = JSON.parse(payload.toString()) as { readonly data: { readonly n: number } };
    const due = this.#next ?? Math.min(data.n, this.#joinedAt);
    const expected = JSON.stringify(message(due));
    if (JSON.stringify(data) !== expected) {
      this.#problem ??= `got ${JSON.stringify(data)} where ${expected} was due`;
    }
    this.#next = due + 1;
    return true;
  }
}
