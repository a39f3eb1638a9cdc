/** A client of a test, without a network: it has a WebSocket or a stream of events. */
import { isObject } from "../base/json.ts";
import type { Peer, SocketFeatures, SocketSession } from "../transport/socket.ts";
import { tokenFor } from "../transport/vouched.ts";
import type { FrameStep, TestClient } from "../model/test.ts";
import type { Activity } from "./activity.ts";
import { KEY, keyOf, knock, type Places } from "./handshake.ts";
import type { Observer } from "./observe.ts";
import { Positions } from "./positions.ts";
import type { FlowFailure, Records } from "./records.ts";

/** The features of a connection without a network, which needs no pings. */
const FEATURES: SocketFeatures = {
  ping: false,
  terminate: true,
  pause: false,
  frameLimits: false,
  closeCodes: true,
  handshakeChecks: true,
};

const NORMAL = 1000;
/** The code of a client that leaves without a close frame, as one of a stream always does. */
const LOST = 1006;

/** What a client uses. */
export interface ClientContext extends Places {
  readonly records: Records;
  readonly activity: Activity;
  readonly observer: Observer;
}

/** The connection of a `client` block. */
export class ClientConnection {
  readonly #model: TestClient;
  readonly #context: ClientContext;
  #state: "closed" | "opening" | "open" = "closed";
  #session: SocketSession | undefined;
  /** The rooms of unanswered joins, by the id of the frame. */
  readonly #joining = new Map<unknown, string>();
  /** What it has not read, in order: frames, and at last the close frame. */
  readonly #unread: (() => void)[] = [];
  #unreadBytes = 0;
  #reads = true;
  /** The id of the last event of its streams, by which it resumes, as `EventSource` does. */
  #lastEventId: string | undefined;
  /** What it has of rooms with history. */
  readonly #positions = new Positions();
  /** Whether it is connected by a step, after the first one has begun. */
  #late = false;

  /** Does not connect yet. */
  constructor(model: TestClient, context: ClientContext) {
    this.#model = model;
    this.#context = context;
  }

  /**
   * Sends the handshake, then joins the rooms if it is accepted. `late` is true in a step: the client
   * reads what its model says as soon as it is in its rooms.
   */
  connect(late: boolean): void {
    const { activity, observer, records } = this.#context;
    const { name } = this.#model;
    if (this.#state !== "closed") return records.mistake(`client "${name}" is already connected`);
    this.#state = "opening";
    this.#late = late;
    this.#forget();
    this.#reads = true;
    const accepting = knock(this.#model, this.#context, this.#lastEventId).then((answer) => {
      if (answer.accepted) return this.#open(answer.session);
      this.#state = "closed";
      const { status, message, code } = answer;
      const failure = records.failures.findLast((one) => this.#isOwn(one));
      const error = failure?.error.code ?? code;
      records.add(name, { status, error, message }, (one) => one === failure);
    });
    activity.track(`the handshake of client "${name}"`, accepting, () => observer.deciding > 0);
    accepting.catch((error) => records.mistake(`client "${name}" could not connect: ${error}`));
  }

  /** Sends a frame, with a token for an identity that it renews, or with its position in a room. */
  send({ text, renewal, resumes }: Pick<FrameStep, "text" | "renewal" | "resumes">): void {
    const more = {
      ...(renewal !== undefined && { token: tokenFor(renewal) }),
      ...(resumes !== undefined && { history: this.#positions.join(resumes, text) }),
    };
    const whole = Object.keys(more).length === 0
      ? text
      : JSON.stringify({ ...JSON.parse(text), ...more });
    if (this.#state === "open") this.#session?.message(whole);
    else this.#context.records.mistake(`client "${this.#model.name}" is not connected`);
  }

  /** The first step begins: reads no more if its model says so. */
  begin(): void {
    if (this.#state === "open") this.#reads = this.#model.reads;
  }

  /** Begins to read, or stops. */
  read(reads: boolean): void {
    if (this.#state !== "open" && this.#unread.length === 0) {
      return this.#context.records.mistake(`client "${this.#model.name}" is not connected`);
    }
    this.#reads = reads;
    if (!reads) return;
    this.#unreadBytes = 0;
    for (const receive of this.#unread.splice(0)) receive();
    this.#session?.flush();
  }

  /** Closes the connection as a browser does, or ends it with another code. */
  disconnect(code = NORMAL): void {
    if (this.#state !== "open") {
      return this.#context.records.mistake(`client "${this.#model.name}" is not connected`);
    }
    this.#forget();
    this.#closed(this.#model.sse ? LOST : code, "");
  }

  /** Records a mistake if it is not connected, or a join was not answered. */
  checkReady(): void {
    const { records } = this.#context;
    const { name } = this.#model;
    if (this.#state !== "open") {
      const [refusal] = records.remaining(name).filter(({ fields }) => "status" in fields);
      const why = refusal === undefined
        ? "its handshake waits for the clock"
        : `${refusal.fields.status} ${refusal.fields.message}`;
      records.mistake(`client "${name}" could not connect: ${why}`);
      records.excuse((failure) => this.#isOwn(failure));
    }
    for (const room of this.#joining.values()) {
      records.mistake(`client "${name}" is not in room "${room}": its join was not answered`);
    }
  }

  #open(session: SocketSession): void {
    this.#state = "open";
    this.#session = session;
    session.open(this.#peer(), FEATURES);
    const { sse, presence } = this.#model;
    // A stream is in its rooms when it is open.
    const rooms = sse ? [] : this.#model.rooms;
    for (const [index, room] of rooms.entries()) {
      const id = `join ${index + 1}`;
      this.#joining.set(id, room);
      session.message(JSON.stringify({ type: "join_room", id, room, presence }));
    }
    this.#arrive();
  }

  /** Connected in a step and in all its rooms, it reads what its model says. */
  #arrive(): void {
    if (this.#late && this.#joining.size === 0) this.begin();
  }

  #peer(): Peer {
    const { records } = this.#context;
    const bytes = () => this.#unreadBytes;
    const isFull = () => !this.#reads;
    return {
      get bufferedAmount() {
        return bytes();
      },
      get full() {
        return isFull();
      },
      send: ({ frames, size }) => {
        if (!this.#reads) this.#unreadBytes += size;
        for (const { text, eventId } of frames) {
          this.#take(() => {
            this.#lastEventId = eventId ?? this.#lastEventId;
            this.#receive(text);
          });
        }
        return this.#unreadBytes;
      },
      close: (code, reason) => {
        this.#take(() => records.add(this.#model.name, { type: "close", data: { code, reason } }));
        // The peer never answers a close frame at once.
        queueMicrotask(() => this.#closed(code, reason));
      },
      terminate: () => {},
    };
  }

  /** What it has not read is lost with its connection. */
  #forget(): void {
    this.#unread.length = 0;
    this.#unreadBytes = 0;
  }

  /** Receives now, or once it reads. */
  #take(receive: () => void): void {
    if (this.#reads) receive();
    else this.#unread.push(receive);
  }

  #receive(text: string): void {
    const frame: unknown = JSON.parse(text);
    if (!isObject(frame)) return;
    const { code: error, ...fields } = frame.type === "presence" ? presenceOf(frame) : frame;
    this.#positions.hear(fields);
    const room = this.#joining.get(fields.id);
    if (room === undefined) {
      const reports = (failure: FlowFailure) =>
        this.#isOwn(failure) && failure.error.code === error;
      this.#context.records.add(this.#model.name, { ...fields, error }, reports);
      return;
    }
    this.#joining.delete(fields.id);
    this.#arrive();
    if (error === undefined) return;
    const { records } = this.#context;
    const message = `could not join room "${room}": ${error}: ${fields.message}`;
    records.mistake(`client "${this.#model.name}" ${message}`);
    records.excuse((failure) => this.#isOwn(failure));
  }

  /** Whether the failure of a flow is reported to this client. */
  #isOwn({ event, answering, expected }: FlowFailure): boolean {
    return !expected && answering && event.client?.headers[KEY] === keyOf(this.#context);
  }

  #closed(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "closed";
    this.#session?.close(code, reason);
    this.#session = undefined;
    this.#joining.clear();
  }
}

/** What a presence frame tells, in one field: `count` in an `expect` block has another meaning. */
function presenceOf(
  { type, room, ...presence }: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return { type, room, presence };
}
