/** A connection of its own that watches the server and ends what runs on the others. */
import { clearTimeout, setTimeout } from "node:timers";
import { messageOf } from "../../../../base/shown.ts";
import type { Logger } from "../../../../contract/connector.ts";
import type { Connection } from "./connection.ts";
import { DeadlineError, explain } from "./errors.ts";

/** Milliseconds between two signs of life. */
const BEAT = 1000;
/** How long the server may take for an answer, in milliseconds. */
const PATIENCE = 2000;
/** After how many milliseconds without an answer all connections are given up. */
const GIVEN_UP = 5000;

/** What is told of the server's state. */
export interface ControlListener {
  /** It has not answered for so long that the other connections must be lost, too. */
  lost(reason: Error): void;
  /** It answers. */
  found(): void;
}

/** Watches a server. */
export class Control {
  readonly #server: string;
  readonly #open: () => Promise<Connection>;
  readonly #logger: Logger;
  readonly #listener: ControlListener;
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #problem: string | undefined;
  #reconnects = 0;
  #heard = performance.now();
  #closed = false;

  /** Begins to watch, on a connection that is open. `server` is the name of the server in the log. */
  constructor(
    server: string,
    connection: Connection,
    open: () => Promise<Connection>,
    logger: Logger,
    listener: ControlListener,
  ) {
    this.#server = server;
    this.#connection = connection;
    this.#open = open;
    this.#logger = logger;
    this.#listener = listener;
    this.#schedule();
  }

  /** Why the server cannot be used at the moment; undefined when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** How often the server answered again after an outage. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Has the server end the statement that runs on a connection. Resolves in any case, soon. */
  async kill(id: number): Promise<void> {
    try {
      await this.#within(async () => {
        const connection = await this.#connect();
        await connection.run(`KILL QUERY ${id}`);
      });
    } catch (error) {
      this.#logger.debug("failed to end a statement: {reason}", { reason: messageOf(error) });
    }
  }

  /** Stops watching. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#connection?.destroy();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#beat(), BEAT);
    this.#timer.unref();
  }

  async #beat(): Promise<void> {
    try {
      await this.#within(async () => await (await this.#connect()).ping());
      this.#heard = performance.now();
      this.#listener.found();
      this.#report(undefined);
    } catch (error) {
      if (this.#closed) return;
      this.#connection?.destroy();
      this.#connection = undefined;
      const { reason } = explain(error);
      this.#report(`${this.#server} does not answer: ${reason}`);
      if (performance.now() - this.#heard > GIVEN_UP) {
        this.#listener.lost(new DeadlineError("the server has not answered for 5 s"));
      }
    }
    this.#schedule();
  }

  async #connect(): Promise<Connection> {
    if (this.#connection?.isLost === false) return this.#connection;
    const opening = this.#opening ??= this.#open().finally(() => this.#opening = undefined);
    const connection = await opening;
    if (this.#closed) connection.destroy();
    return this.#connection = connection;
  }

  async #within(work: () => Promise<void>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const error = new DeadlineError(`no answer within ${PATIENCE / 1000} s`);
    const timer = setTimeout(() => reject(error), PATIENCE);
    const working = work();
    working.catch(() => {});
    try {
      await Promise.race([working, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #report(problem: string | undefined): void {
    if (problem === undefined && this.#problem !== undefined) {
      this.#reconnects++;
      this.#logger.info("the server answers again");
    } else if (problem !== undefined && this.#problem === undefined) {
      this.#logger.error("{problem}", { problem });
    }
    this.#problem = problem;
  }
}
