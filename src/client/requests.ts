/** Frames on their way to the server, and the answers that they wait for. */
import { errorOf, WeirError } from "./error.ts";
import type { Frame } from "./frame.ts";
import { MAX_WAITING, MAX_WAITING_SIZE, TIMEOUT } from "./limits.ts";
import type { Platform } from "./platform.ts";

/** How long something may take. */
export interface Limits {
  /** In milliseconds, from the call on; 10 seconds by default, `Infinity` for the longest one, 24 days. */
  readonly timeout?: number;
  /** Ends the wait: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What is done with an answer. */
export interface Answer {
  taken(ack: Frame): void;
  failed(reason: unknown): void;
}

interface Entry {
  readonly id: number;
  readonly text: string;
  /** How long it is, in bytes. */
  readonly size: number;
  /** Sends it again on the next connection, if this one goes before the answer. */
  readonly retry: boolean;
  /** Undefined for a frame that asks for no answer. */
  readonly answer: Answer | undefined;
  readonly cancel: (() => void) | undefined;
  sent: boolean;
}

/** How a frame is sent. */
export interface Sending extends Limits {
  readonly retry?: boolean;
  readonly answer?: Answer;
}

/** What waits, and what waits for its answer. */
export interface Requests {
  /** Sends a frame, or keeps it until there is a connection. Throws where too much waits. */
  add(frame: object, sending: Sending): void;
  /** The same; resolves with the ack. */
  ask(frame: object, sending?: Sending): Promise<Frame>;
  /** Takes an ack or an error with an id. */
  answer(frame: Frame): void;
  /** Sends what waits. */
  flush(): void;
  /** Rejects what was sent, or all of it, and keeps the rest for the next connection. */
  lost(reason: WeirError, all: boolean, tooLarge: boolean): void;
}

/** Calls `fail` once the time is over or the signal says so; the result ends that. */
export function limit(
  platform: Platform,
  { timeout = TIMEOUT, signal }: Limits,
  fail: (reason: unknown) => void,
): () => void {
  signal?.throwIfAborted();
  const aborted = () => fail(signal!.reason);
  const late = () => fail(new WeirError("timeout", "no answer in time"));
  const stop = platform.after(timeout, late);
  signal?.addEventListener("abort", aborted);
  return () => {
    stop();
    signal?.removeEventListener("abort", aborted);
  };
}

/** Makes one; `send` returns false where there is no connection. */
export function createRequests(
  platform: Platform,
  send: (text: string) => boolean,
): Requests {
  /** In the order in which they were asked for. */
  const entries = new Map<unknown, Entry>();
  let last = 0;

  const take = (id: unknown): Answer | undefined => {
    const entry = entries.get(id);
    entries.delete(id);
    entry?.cancel?.();
    return entry?.answer;
  };

  const transmit = (entry: Entry): void => {
    entry.sent ||= send(entry.text);
    if (entry.sent && !entry.answer) entries.delete(entry.id);
  };

  const requests: Requests = {
    ask: (frame, sending) =>
      new Promise((taken, failed) =>
        requests.add(frame, { ...sending, answer: { taken, failed } })
      ),
    add(frame, { retry = false, answer, ...limits }) {
      const id = ++last;
      const text = JSON.stringify(answer ? { ...frame, id } : frame);
      const cancel = answer && limit(platform, limits, (reason) => take(id)?.failed(reason));
      const { size } = new Blob([text]);
      const entry = { id, text, size, retry, answer, cancel, sent: false };
      entries.set(id, entry);
      transmit(entry);
      let places = MAX_WAITING;
      let room = MAX_WAITING_SIZE;
      for (const { sent, size } of entries.values()) {
        if (sent) continue;
        places--;
        room -= size;
      }
      if (entry.sent || places >= 0 && room >= 0) return;
      take(id);
      throw new WeirError("queue_full", "queue full");
    },
    answer(frame) {
      const answer = take(frame.id);
      if (frame.type === "ack") answer?.taken(frame);
      else answer?.failed(errorOf(frame));
    },
    flush() {
      for (const entry of entries.values()) transmit(entry);
    },
    lost(reason, all, tooLarge) {
      for (const entry of entries.values()) {
        if (!all && (!entry.sent || entry.retry && !tooLarge)) entry.sent = false;
        else take(entry.id)?.failed(reason);
      }
    },
  };
  return requests;
}
