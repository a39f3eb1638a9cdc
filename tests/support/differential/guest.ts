/** A client of the scenarios about presence, history and streams: a WebSocket or a stream. */
import { FakeStream } from "../fake-stream.ts";
import { Known, type PresenceFrame } from "../presence.ts";
import type { FakeClient } from "../worker-runtimes.ts";
import { wait } from "./wait.ts";

/** A frame of the server. */
export type Frame = Readonly<Record<string, unknown>>;

/** Names for the epochs of one run. They are texts of chance: those of one room are numbered. */
export class Epochs {
  readonly #ofRooms = new Map<unknown, unknown[]>();

  /** A frame of a room with the name of its epoch, where it has one. */
  named(frame: Frame, room: unknown, eventId: string | undefined): Frame {
    const { epoch } = frame;
    return {
      ...frame,
      ...(epoch !== undefined && { epoch: this.#numberOf(room, epoch) }),
      ...(eventId !== undefined && { eventId: this.#idOf(room, eventId) }),
    };
  }

  #idOf(room: unknown, eventId: string): string {
    const [start, epoch, offset] = eventId.split(":");
    return offset === undefined ? eventId : [start, this.#numberOf(room, epoch), offset].join(":");
  }

  #numberOf(room: unknown, epoch: unknown): string {
    const known = this.#ofRooms.get(room) ?? [];
    this.#ofRooms.set(room, known);
    if (!known.includes(epoch)) known.push(epoch);
    return `epoch ${known.indexOf(epoch)}`;
  }
}

/** What a client has heard since the last rest. */
export interface Notes {
  /** Answers to its frames, in order. */
  readonly answers: readonly unknown[];
  /** All else but presence, in order. */
  readonly messages: readonly unknown[];
  /** How many messages came before each answer to a `join_room`. */
  readonly before: readonly number[];
  /** What it knows of the members of rooms. */
  readonly views: Readonly<Record<string, unknown>>;
  /** How its connection ended. */
  readonly ended: unknown;
}

/** A client. */
export class Guest {
  readonly client: FakeClient | FakeStream;
  /** The members of each room, as it was told. */
  readonly known = new Map<string, Known>();
  /** All answers that it has got. */
  readonly answers = new Map<unknown, Frame>();
  /** The id of its last event. */
  lastEventId = "";
  #ids = 0;
  readonly #epochs: Epochs;
  /** The room of each frame to join. */
  readonly #joins = new Map<unknown, unknown>();
  #left = false;
  #fence = 0;
  #times = 0;
  #notes: { answers: Frame[]; messages: Frame[]; before: number[] } = nothing();

  constructor(client: FakeClient | FakeStream, epochs: Epochs) {
    this.client = client;
    this.#epochs = epochs;
  }

  /** Whether its connection has ended. */
  get isGone(): boolean {
    return this.#left || this.client.ended !== undefined;
  }

  /** Sends a frame; returns its answer. */
  async ask(frame: Frame): Promise<Frame> {
    if (this.client instanceof FakeStream) throw new Error("a stream cannot send");
    const id = ++this.#ids;
    if (frame.type === "join_room") this.#joins.set(id, frame.room);
    this.client.tell({ ...frame, id });
    await wait(`the answer to ${JSON.stringify(frame)}`, () => {
      this.read();
      return this.isGone || this.answers.has(id);
    });
    return this.answers.get(id) ?? {};
  }

  /** Its connection ends: by default as that of a page that is closed. */
  leave(code = 1000): void {
    this.#left = true;
    if (this.client instanceof FakeStream) this.client.leave();
    else this.client.cut(code);
  }

  /** Waits until it has heard a fence so often. */
  async fenced(fence: number, times: number): Promise<void> {
    await wait(`fence ${fence}`, () => {
      this.read();
      return this.isGone || (this.#fence === fence && this.#times === times);
    });
  }

  /** Reads what has come. */
  read(): void {
    const events = this.client instanceof FakeStream
      ? this.client.takeEvents()
      : this.client.take().map((data) => ({ id: undefined, data }));
    for (const { id, data } of events) this.#hear(data as Frame, id);
  }

  /** What it has heard since the last rest. */
  get notes(): Notes {
    this.read();
    const views = [...this.known].map(([room, known]) => [room, viewOf(known)]);
    return { ...this.#notes, views: Object.fromEntries(views), ended: this.client.ended };
  }

  /** What comes from now on is noted anew. */
  turnPage(): void {
    this.#notes = nothing();
    for (const known of this.known.values()) known.history.length = 0;
  }

  #hear(frame: Frame, eventId: string | undefined): void {
    const { type, data, room, id } = frame;
    const fence = (data as { readonly fence?: number } | undefined)?.fence;
    if (fence !== undefined) {
      [this.#fence, this.#times] = [fence, fence === this.#fence ? this.#times + 1 : 1];
    } else if (type === "presence") {
      const known = this.known.get(String(room)) ?? new Known();
      this.known.set(String(room), known);
      known.hear(frame as unknown as PresenceFrame);
    } else if ((type === "ack" || type === "error") && id !== undefined) {
      this.answers.set(id, frame);
      this.#notes.answers.push(
        withoutRef(this.#epochs.named(frame, this.#joins.get(id), undefined)),
      );
      if (this.#joins.has(id)) this.#notes.before.push(this.#notes.messages.length);
    } else {
      if (eventId !== undefined) this.lastEventId = eventId;
      this.#notes.messages.push(withoutRef(this.#epochs.named(frame, room, eventId)));
    }
  }
}

/** Each failure has a reference of its own. */
function withoutRef(frame: Frame): Frame {
  const text = JSON.stringify(frame).replaceAll(/\(ref \w+\)/g, "(ref)");
  return JSON.parse(text.replaceAll(/"ref":"\w+"/g, '"ref":""'));
}

function nothing(): { answers: Frame[]; messages: Frame[]; before: number[] } {
  return { answers: [], messages: [], before: [] };
}

/** What a client knows of a room. Members without a user have a key of chance. */
function viewOf({ isWhole, count, members, history, contradictions }: Known): unknown {
  const shown = [...members.values()]
    .map((one) => JSON.stringify({ ...one, ...(one.key !== undefined && { key: "a key" }) }));
  const changes = history.map((change) => change.replace(/[0-9a-f-]{16,}/, "a key"));
  return {
    count,
    members: isWhole ? shown.sort() : undefined,
    changes: changes.sort(),
    contradictions,
  };
}
