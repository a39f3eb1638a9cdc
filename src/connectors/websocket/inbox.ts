/** What one connection has to do: frames in order and within limits, and flows that nobody awaits. */
import type { Clock } from "../../base/clock.ts";
import type { FlowHandler, Logger } from "../../contract/connector.ts";
import { dispatch } from "../../contract/dispatch.ts";
import type { ClientFrame, Refusal } from "./protocol.ts";
import { TOO_MUCH_WAITS } from "../../transport/socket.ts";
import type { SocketEvent } from "./event.ts";
import { Limits } from "./limits.ts";
import type { RateLimitOptions } from "./rate-limit.ts";
import { WorkQueue } from "./work.ts";

/** What the inboxes of one connector share. */
export interface InboxHost {
  readonly options: {
    readonly concurrency: number;
    readonly max_message_size: number;
    readonly rate_limit?: RateLimitOptions | undefined;
  };
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Whose inbox it is. */
export interface InboxOwner {
  /** Serves a frame or answers with its refusal; undefined where that ended at once. Never rejects. */
  serve(frame: ClientFrame | Refusal): Promise<void> | undefined;
  /** Many frames wait, so no more should be read; or few do again. */
  pressure(high: boolean): void;
  /** Closes the connection. */
  end(code: number, reason: string): void;
}

/** At most this many characters of messages wait for a connection, or one message that is longer. */
const MOST_WAITING = 1024 * 1024;
/** On Bun the rest of a read still arrives after a pause: up to this much of plain messages. */
const ONE_READ = 64 * 1024;
/** One read has fewer messages than this, even of the shortest. */
const MOST_MESSAGES = 16 * 1024;

/** Made with the first thing that a connection has to do. */
export class Inbox {
  readonly #host: InboxHost;
  readonly #owner: InboxOwner;
  readonly #work: WorkQueue<ClientFrame | Refusal>;
  readonly #most: number;
  #limits: Limits | undefined;

  /** Empty. */
  constructor(host: InboxHost, owner: InboxOwner) {
    const { concurrency, max_message_size } = host.options;
    this.#host = host;
    this.#owner = owner;
    this.#most = Math.max(MOST_WAITING, max_message_size);
    this.#work = new WorkQueue(
      concurrency,
      (frame) => owner.serve(frame),
      (high) => owner.pressure(high),
      // One more of any size still has room.
      this.#most - max_message_size,
    );
  }

  /** Serves a frame, or refuses it for its form or its rate, when its turn comes. */
  push(frame: ClientFrame | Refusal, size: number): void {
    const work = this.#work;
    work.push(this.#limit().admit(frame), size);
    // The socket cannot be paused, or one read has inflated to more.
    if (work.size > this.#most + ONE_READ || work.waiting > MOST_MESSAGES) {
      this.#owner.end(1008, TOO_MUCH_WAITS);
    }
  }

  /** Counts an error that the client is told; gives the reason where it must go for that. */
  strike(refusal: Refusal): string | undefined {
    return this.#limit().strike(refusal);
  }

  /**
   * Runs the flows on `connect` or `disconnect` when all before them has ended. Nobody is answered
   * for these: their flows have logged what failed.
   */
  runAlone(event: SocketEvent, flows: () => readonly FlowHandler[]): void {
    this.#work.pushAlone(async () => {
      try {
        await dispatch(flows(), event).all;
      } catch (error) {
        const { operation } = event;
        this.#host.logger.error("{operation} failed: {error}", { operation, error });
      }
    });
  }

  /** Forgets what waits. */
  clear(): void {
    this.#work.clear();
  }

  /** Whether nothing is at work and nothing waits. */
  get isIdle(): boolean {
    return this.#work.isIdle;
  }

  /** Resolves when nothing is at work and nothing waits. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  #limit(): Limits {
    return this.#limits ??= new Limits(this.#host.options.rate_limit, this.#host.clock);
  }
}
