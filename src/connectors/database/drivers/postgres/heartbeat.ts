/**
 * Asks the server every second whether it is there. Half-open connections are found by this alone: the
 * system would keep them for minutes.
 */
import { clearTimeout, setTimeout } from "node:timers";
import type { Client, QueryResult } from "pg";
import { endOfTick } from "../../../../base/clock.ts";
import { TimeoutError } from "../../../../base/errors.ts";
import type { Logger } from "../../../../contract/connector.ts";
import { backendOf, connect, destroy, disconnect, isLost } from "./connecting.ts";
import { NoConnectionError } from "../connection-pool.ts";
import { explainOpening, isBusy, sqlState } from "./errors.ts";
import { type Server, serverName } from "./server.ts";

/** Milliseconds between two questions. */
const INTERVAL = 1000;
/** Milliseconds within which the server must answer. */
const DEADLINE = 2000;
/** Milliseconds for the connection that shows whether only the other one was dead. */
const SECOND_OPINION = 1000;

/** What is told of the server's state. */
export interface HeartbeatListener {
  /** It does not answer, for this reason. */
  lost(error: NoConnectionError): void;
  /** It answers again. */
  found(): void;
  /** A connection was dead while the server was not: others that are not used may be, too. */
  suspect(): void;
  /** Connections on which a statement may have waited for longer than that many milliseconds. */
  waiting(milliseconds: number): readonly Client[];
}

/** The state of a session, by the server. */
interface Session {
  readonly state: string | null;
  /** When it became so: the same text means that nothing has happened since. */
  readonly since: string | null;
}

/** A session that the server does not have. */
const GONE: Session = { state: "gone", since: null };

/** Watches one server. */
export class Heartbeat {
  readonly #server: Server;
  readonly #logger: Logger;
  readonly #listener: HeartbeatListener;
  #client: Client | undefined;
  #problem: string | undefined;
  #readOnly = false;
  #reconnects = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  /** Sessions that do nothing for a client that waits. The next look decides. */
  #suspects = new Map<Client, Session>();
  #running: Promise<void> | undefined;

  /** `client` is a connection of its own. Begins at once. */
  constructor(server: Server, client: Client, logger: Logger, listener: HeartbeatListener) {
    this.#server = server;
    this.#client = client;
    this.#logger = logger;
    this.#listener = listener;
    this.#schedule();
  }

  /** Why the server cannot be used now; undefined when it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** How often the server answered again after an outage. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Ends it, and its connection. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    // A question may be in flight, which must not hold the end up.
    if (client !== undefined && this.#running !== undefined) {
      destroy(client, "the database is closed");
    } else if (client !== undefined) await disconnect(client);
    await this.#running;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#beat().finally(() => {
        this.#running = undefined;
        if (!this.#stopped) this.#schedule();
      });
    }, INTERVAL).unref();
  }

  /** Never rejects. */
  async #beat(): Promise<void> {
    const known = this.#client;
    if (known !== undefined) {
      try {
        return await this.#ask(known);
      } catch {
        destroy(known, "the server does not answer on it");
        this.#client = undefined;
      }
    }
    if (this.#stopped) return;
    try {
      const options = { role: "heartbeat", deadline: SECOND_OPINION };
      this.#client = await connect(this.#server, options);
      if (this.#stopped) return await disconnect(this.#client);
      if (known !== undefined) this.#listener.suspect();
      await this.#ask(this.#client);
    } catch (error) {
      if (this.#stopped) return;
      // It answers, if only to say that it has no connection to spare.
      if (isBusy(error) && sqlState(error)?.startsWith("53")) return this.#isFine();
      this.#isAway(error);
    }
  }

  async #ask(client: Client): Promise<void> {
    const { rows: [row] } = await askPatiently(client, "SHOW transaction_read_only");
    this.#isFine();
    this.#note(row?.transaction_read_only === "on");
    const waiting = this.#listener.waiting(DEADLINE).filter(isWaiting);
    if (waiting.length > 0) await this.#look(client, waiting);
    else this.#suspects.clear();
  }

  /**
   * Destroys connections whose answer was lost: the client waits for the server, which does nothing
   * for it, and has done nothing since the last look.
   */
  async #look(client: Client, waiting: readonly Client[]): Promise<void> {
    const found = new Map<number, Session>();
    const numbers = waiting.map(backendOf).join(", ");
    const { rows } = await askPatiently(
      client,
      `SELECT pid, state, state_change::text AS since FROM pg_stat_activity WHERE pid IN (${numbers})`,
    );
    for (const { pid, state, since } of rows) found.set(Number(pid), { state, since });
    const suspects = new Map<Client, Session>();
    for (const client of waiting) {
      const session = found.get(Number(backendOf(client))) ?? GONE;
      // With track_activities = off the server does not say.
      if (!session.state?.startsWith("idle") && session !== GONE) continue;
      const before = this.#suspects.get(client);
      if (
        before === undefined || before.since !== session.since || before.state !== session.state
      ) {
        suspects.set(client, session);
      } else if (isWaiting(client)) {
        destroy(client, "the server does nothing for what waits on it");
      }
    }
    this.#suspects = suspects;
  }

  #isFine(): void {
    if (this.#problem === undefined) return;
    this.#problem = undefined;
    this.#reconnects++;
    this.#logger.info("the server answers again");
    this.#listener.found();
  }

  #isAway(cause: unknown): void {
    const { reason } = explainOpening(this.#server, cause);
    const problem = `${serverName(this.#server)} does not answer: ${reason}`;
    if (this.#problem === undefined) this.#logger.error("{problem}", { problem });
    this.#problem = problem;
    this.#listener.lost(new NoConnectionError(problem));
  }

  #note(readOnly: boolean): void {
    if (readOnly === this.#readOnly) return;
    this.#readOnly = readOnly;
    if (readOnly) this.#logger.warn("the server can be read but not written to");
    else this.#logger.info("the server can be written to again");
  }
}

/** Whether a client waits for an answer, and can be found among the server's sessions by its number. */
function isWaiting(client: Client): boolean {
  // Its types lack both. A proxy such as PgBouncer makes up the number that a client gets.
  const { readyForQuery, processID } = client as unknown as {
    readonly readyForQuery: boolean;
    readonly processID: number | null;
  };
  return !readyForQuery && !isLost(client) && processID === backendOf(client);
}

/**
 * Asks within the deadline. What has arrived counts, even where this process was too busy to read it
 * in time.
 */
async function askPatiently(client: Client, sql: string): Promise<QueryResult> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    endOfTick(() => endOfTick(() => reject(new TimeoutError("no answer in 2 s"))));
  }, DEADLINE);
  try {
    return await Promise.race([client.query(sql), late]);
  } finally {
    clearTimeout(timer);
  }
}
