/** One `join` of a room: what its program sees of it. */
import { createEmitter, type Handler } from "./emitter.ts";
import type { Member } from "./contract.ts";
import type { WeirError } from "./error.ts";
import { MAX_HELD } from "./limits.ts";
import type { Limits } from "./requests.ts";

/** A place in a room's history. */
export interface Position {
  /** The text that changes when offsets begin anew. */
  readonly epoch: string;
  /** That of the last message. */
  readonly offset: number;
}

/** How a room is joined. */
export interface JoinOptions<Data = unknown> extends Limits {
  /** How long the join may take, in milliseconds; without it, it waits for the connection. */
  readonly timeout?: number;
  /** Asks who is in the room; an object also tells it of this client. */
  readonly presence?: boolean | (Data & object);
  /**
   * Whether messages that were missed are asked for, where the room has a history: true by default. A
   * position continues from there, as from before a reload of a page.
   */
  readonly history?: boolean | Position;
}

/** A room as `join` returns it. `Room` in `api.ts` has its types. */
export interface Handle extends AsyncIterable<unknown> {
  readonly name: string;
  readonly members: readonly unknown[];
  readonly count: number;
  readonly position: Position | undefined;
  on(event: string, handler: Handler): () => void;
  setPresence(data: object): Promise<void>;
  leave(): Promise<void>;
}

/** What a handle shows of its room. */
export interface RoomState {
  readonly name: string;
  readonly members: ReadonlyMap<string, Member>;
  readonly count: number;
  readonly position?: Position | undefined;
}

/** What the list of rooms knows of a handle. */
export interface Place {
  readonly handle: Handle;
  tell(event: string, ...args: unknown[]): void;
  /** Ends its loops, with an error where there is one. */
  end(reason?: unknown): void;
}

/** The event of the end: no frame has such a type. */
const END = "";

/** Makes one. */
export function createSeat(
  room: RoomState,
  leave: () => Promise<void>,
  setPresence: (data: object) => Promise<void>,
): Place {
  const { on, emit } = createEmitter();
  /** What comes before there is a handler; undefined afterwards. */
  let held: [event: string, ...args: unknown[]][] | undefined = [];
  let ended = false;
  /** Why it has ended. */
  let problem: unknown;

  const listen = (event: string, handler: Handler): () => void => {
    // The handlers that are added together all see what was held.
    if (held) queueMicrotask(release);
    return on(event, handler);
  };

  const release = () => {
    const events = held ?? [];
    held = undefined;
    for (const event of events) emit(...event);
  };

  const tell = (event: string, ...args: unknown[]) => {
    if (!held) emit(event, ...args);
    else if (held.push([event, ...args]) > MAX_HELD) held = [["resync"]];
  };

  const end = (reason?: unknown) => {
    ended = true;
    // A program that has left the room is shown no more of it.
    if (!reason) held = undefined;
    // A loop just ends where its own program has closed the client.
    if (reason && (reason as WeirError).code !== "closed") tell("error", problem = reason);
    emit(END);
  };

  async function* read(): AsyncGenerator<unknown, void> {
    let messages: unknown[] = [];
    let wake = () => {};
    const stop = listen("message", (data) => {
      if (messages.push(data) > MAX_HELD) {
        messages = [];
        tell("resync");
      }
      wake();
    });
    const stopEnd = on(END, () => wake());
    try {
      for (;;) {
        while (messages.length > 0) yield messages.shift();
        if (problem) throw problem;
        if (ended) return;
        await new Promise<void>((resolve) => wake = resolve);
      }
    } finally {
      stop();
      stopEnd();
    }
  }

  return {
    handle: {
      name: room.name,
      get members() {
        return [...room.members.values()];
      },
      get count() {
        return room.count;
      },
      get position() {
        return room.position;
      },
      on: listen,
      setPresence,
      leave,
      [Symbol.asyncIterator]: read,
    },
    tell,
    end,
  };
}
