/** The frames of one connection in the order in which they arrived, within its limits. */
import type { FlowHandler } from "../../contract/connector.ts";
import { dispatch } from "../../contract/dispatch.ts";
import { TOO_MUCH_WAITS } from "../../transport/socket.ts";
import type { SocketEvent } from "./client.ts";
import { placed } from "../../contract/placed.ts";
import { changesConnection, serveFrame } from "./frames.ts";
import { Limits } from "./limits.ts";
import type { ClientFrame, Refusal } from "./protocol.ts";
import type { OpenConnection } from "./registry.ts";
import type { Shared } from "./parts.ts";
import { WorkQueue } from "./work-queue.ts";

/** At most this many characters of messages wait for a connection, or one message that is longer. */
const MAX_WAITING = 1024 * 1024;
/** On Bun the rest of a read still arrives after a pause: up to this much of plain messages. */
const ONE_READ = 64 * 1024;
/** One read has fewer messages than this, even of the shortest. */
const MAX_MESSAGES = 16 * 1024;

/** The queue of one connection, made with the first frame or flow that it has to serve. */
export class FrameQueue {
  readonly #shared: Shared;
  readonly #connection: OpenConnection;
  readonly #work: WorkQueue<ClientFrame | Refusal>;
  readonly #max: number;
  #limits: Limits | undefined;

  /** `pressure` is called when the connection should read no more, and when it may read again. */
  constructor(
    shared: Shared,
    connection: OpenConnection,
    pressure: (high: boolean) => void,
  ) {
    const { concurrency, max_message_size } = shared.options;
    this.#shared = shared;
    this.#connection = connection;
    this.#max = Math.max(MAX_WAITING, max_message_size);
    this.#work = new WorkQueue(
      concurrency,
      {
        serve: (frame, after) => serve(shared, connection, frame, after),
        needsAll: (frame) => !("code" in frame) && changesConnection(frame),
      },
      pressure,
      // One more message of any size still fits.
      this.#max - max_message_size,
    );
  }

  /** Serves a frame in its turn, or refuses it for its form or its rate. `size` is in characters. */
  push(frame: ClientFrame | Refusal, size: number): void {
    const work = this.#work;
    work.push(this.#limit().admit(frame), size);
    // The socket cannot be paused, or one read has inflated to more.
    if (work.size > this.#max + ONE_READ || work.waiting > MAX_MESSAGES) {
      this.#connection.end(1008, TOO_MUCH_WAITS);
    }
  }

  /** Counts an error that is sent to the client. Returns the reason to close it for that, if any. */
  countError(refusal: Refusal): string | undefined {
    return this.#limit().countError(refusal);
  }

  /**
   * Runs the flows on `connect` or `disconnect` after everything before them has ended. They answer
   * no client, and they log their own failures.
   */
  runAlone(event: SocketEvent, flows: () => readonly FlowHandler[]): void {
    this.#work.pushAlone(async () => {
      try {
        await dispatch(flows(), event).all;
      } catch (error) {
        const { operation } = event;
        this.#shared.logger.error("{operation} failed: {error}", { operation, error });
      }
    });
  }

  /** Does something that must not reject, after everything before it has ended. */
  runNext(work: () => Promise<void> | undefined): void {
    this.#work.pushAlone(work);
  }

  /** Serves nothing that comes from now on before `ready`, which must not reject. */
  waitFor(ready: Promise<void>): void {
    this.runNext(() => ready);
  }

  /** Drops everything that waits. */
  clear(): void {
    this.#work.clear();
  }

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#work.isIdle;
  }

  /** Resolves when nothing runs and nothing waits. */
  idle(): Promise<void> {
    return this.#work.idle();
  }

  #limit(): Limits {
    return this.#limits ??= new Limits(this.#shared.options.rate_limit, this.#shared.clock);
  }
}

function serve(
  shared: Shared,
  connection: OpenConnection,
  frame: ClientFrame | Refusal,
  after: Promise<void> | undefined,
): Promise<void> | undefined {
  if (!("code" in frame)) return serveFrame(shared, connection, frame, after);
  if (after === undefined) return connection.refuse(frame);
  return placed(after.then(() => connection.refuse(frame)));
}
