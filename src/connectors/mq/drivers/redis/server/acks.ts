/** What this process has handled of one stream, until the server knows of it. */
import { endOfTick } from "../../../../../base/clock.ts";
import { InFlight } from "../../../../../base/in-flight.ts";
import type { Logger } from "../../../../../contract/connector.ts";
import { describe, isAnswer, isFinal } from "./errors.ts";
import type { Link } from "./link.ts";

/** What acks are sent with. */
export interface AcksContext {
  readonly link: Link;
  readonly group: string;
  readonly logger: Logger;
}

/** Acks of one turn of the event loop go together. Those that cannot be sent now are sent later. */
export class Acks {
  readonly #stream: string;
  readonly #context: AcksContext;
  readonly #inFlight = new InFlight();
  #waiting: string[] = [];
  /** What the server has not answered yet. */
  readonly #sent = new Set<readonly string[]>();
  #flushing = false;
  /** The server takes none at the moment. */
  #refused = false;

  /** Sends nothing before `add`. */
  constructor(stream: string, context: AcksContext) {
    this.#stream = stream;
    this.#context = context;
    context.link.onReady(() => this.flush());
  }

  /** Those that the server may not know. */
  get unknown(): ReadonlySet<string> {
    return new Set([...this.#waiting, ...[...this.#sent].flat()]);
  }

  /** Tells the server of one, at the end of this turn or as soon as there is a connection. */
  add(id: string): void {
    this.#waiting.push(id);
    // Those that were refused are tried again by `flush`, and not for each further one.
    if (this.#flushing || this.#refused) return;
    this.#flushing = true;
    endOfTick(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  /** Sends what waits. */
  flush(): void {
    const { link, group } = this.#context;
    const ids = this.#waiting;
    // The next connection takes them.
    if (ids.length === 0 || link.client === undefined) return;
    this.#waiting = [];
    this.#sent.add(ids);
    const acked = link.command(["XACK", this.#stream, group, ...ids]).then(
      () => {
        this.#sent.delete(ids);
        this.#refused = false;
      },
      (error) => {
        this.#sent.delete(ids);
        this.#failed(ids, error);
      },
    );
    void this.#inFlight.add(acked);
  }

  /** Waits until the server has all of them, or takes none. */
  async settle(): Promise<void> {
    this.flush();
    await this.#inFlight.empty();
  }

  #failed(ids: readonly string[], error: unknown): void {
    const isLost = isAnswer(error) && isFinal(error);
    if (!isLost) this.#waiting = [...ids, ...this.#waiting];
    // A connection that is lost says so itself.
    if (!isAnswer(error) || (this.#refused && !isLost)) return;
    // Otherwise the server cannot save, or follows another one since a failover, or the like.
    this.#refused = !isLost;
    const message = isLost
      ? "could not ack {count} messages: {reason}"
      : "cannot ack {count} messages yet: {reason}";
    this.#context.logger.warn(message, { count: ids.length, reason: describe(error) });
  }
}
