/** Publishes into streams, and waits until a stream has each message. */
import { createInbox, type Msg, type MsgHdrs, type Subscription } from "@nats-io/transport-node";
import { isObject } from "../../../../base/json.ts";
import { quoted, shownWords } from "../../../../base/shown.ts";
import { UnsendableError } from "../../../../messaging/mod.ts";
import { type LinkListener, type NatsLink, PATIENCE } from "./connection.ts";
import { publishOn } from "./publishing.ts";

/** No stream takes the subject of a message. */
export class NoStreamError extends Error {
  override readonly name = "NoStreamError";
}

/** A message on its way. */
interface Pending {
  readonly subject: string;
  /** When it is given up, by the monotonic clock. */
  readonly deadline: number;
  resolve(): void;
  reject(error: Error): void;
}

const decoder = new TextDecoder();

/** One subscription gets all answers: a timer and a subscription for each would cost more. */
export class Confirmations implements LinkListener {
  readonly #link: NatsLink;
  readonly #missing: (subject: string) => void;
  readonly #pending = new Map<string, Pending>();
  readonly #prefix = `${createInbox()}.`;
  #subscription: Subscription | undefined;
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Subscribes when the first message is sent. `missing` hears of subjects that no stream takes. */
  constructor(link: NatsLink, missing: (subject: string) => void) {
    this.#link = link;
    this.#missing = missing;
    link.listen(this);
  }

  /**
   * Resolves when a stream has the message.
   *
   * @throws {UnsendableError} It never can be sent.
   * @throws {NoStreamError} No stream takes the subject.
   * @throws {Error} The broker is away, refuses the message, or has not confirmed it in time.
   */
  send(subject: string, body: Uint8Array, headers: MsgHdrs | undefined): Promise<void> {
    const client = this.#link.need();
    if (this.#subscription === undefined || this.#subscription.isClosed()) {
      this.#subscription = client.subscribe(`${this.#prefix}*`, {
        callback: (error, message) => error === null ? this.#hear(message) : this.#fail(error),
      });
    }
    const token = (this.#count++).toString(36);
    publishOn(client, subject, body, { headers, reply: this.#prefix + token });
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + PATIENCE;
      this.#pending.set(token, { subject, deadline, resolve, reject });
      this.#timer ??= setTimeout(() => this.#expire(), PATIENCE);
    });
  }

  /** What was on its way may be in the stream, or not. */
  lost(reason: string): void {
    this.#fail(new Error(`the connection was lost before a stream confirmed it: ${reason}`));
  }

  refused({ operation, subject, message }: Parameters<Required<LinkListener>["refused"]>[0]): void {
    if (operation !== "publish") return;
    for (const [token, pending] of this.#pending) {
      if (pending.subject !== subject) continue;
      this.#pending.delete(token);
      pending.reject(new UnsendableError(shownWords(message)));
    }
  }

  /** Gives up what is on its way. */
  close(): void {
    this.#fail(new Error("the connection is closed"));
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #hear(message: Msg): void {
    const token = message.subject.slice(this.#prefix.length);
    const pending = this.#pending.get(token);
    if (pending === undefined) return;
    this.#pending.delete(token);
    const failure = failureOf(message, pending.subject);
    if (failure === undefined) return pending.resolve();
    if (failure instanceof NoStreamError) this.#missing(pending.subject);
    pending.reject(failure);
  }

  #fail(error: Error): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }

  /** The oldest are the first. */
  #expire(): void {
    const now = performance.now();
    this.#timer = undefined;
    for (const [token, { deadline, reject }] of this.#pending) {
      if (deadline > now) {
        this.#timer = setTimeout(() => this.#expire(), deadline - now);
        return;
      }
      this.#pending.delete(token);
      reject(new Error(`no stream has confirmed it within ${PATIENCE / 1000} s`));
    }
  }
}

/** Why an answer is no confirmation; undefined where it is one. */
function failureOf({ data, headers }: Msg, subject: string): Error | undefined {
  if (data.length === 0) {
    return headers?.code === 503
      ? new NoStreamError(`no stream takes the subject ${quoted(subject)}`)
      : new Error("what answered is no stream");
  }
  let answer: unknown;
  try {
    answer = JSON.parse(decoder.decode(data));
  } catch {
    return new Error("what answered is no stream");
  }
  if (!isObject(answer)) return new Error("what answered is no stream");
  const { error } = answer;
  if (error === undefined) {
    return typeof answer.stream === "string" ? undefined : new Error("what answered is no stream");
  }
  const { code, description } = isObject(error) ? error : {};
  const words = `the stream refuses it: ${shownWords(String(description))}`;
  // The message itself is wrong, such as one that is too large for the stream.
  return code === 400 ? new UnsendableError(words) : new Error(words);
}
