/** Listens to NOTIFY, on a connection of its own that is made again whenever it is lost. */
import type { Client } from "pg";
import { retryDelay, type RetryDelays } from "../../../../../base/retry.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import type { NotificationFeed, NotificationFeedContext } from "../../../changes/feed.ts";
import { ask, connect, destroy, disconnect, onLost } from "../connecting.ts";
import { explain } from "../errors.ts";
import { readServer, type Server } from "../server.ts";
import { quoteName } from "./names.ts";
import { Pause } from "./pause.ts";

/** The delays between attempts to listen: the first soon, since what is sent meanwhile is lost. */
const DELAYS: RetryDelays = { delay: 50, maxDelay: 5000, backoff: "exponential" };

/** Milliseconds between two questions whether the server is there, and for its answer. */
const BEAT = 1000;
const ANSWERING = 1500;

/** Milliseconds in which LISTEN must succeed. */
const LISTENING = 5000;

/** The notifications of one connector. */
export class PostgresNotificationFeed implements NotificationFeed {
  readonly #context: NotificationFeedContext;
  #server: Promise<Server> | undefined;
  #client: Client | undefined;
  #paused = false;
  /** Whether answers were not read at some time since this was set to false. */
  #excused = false;
  #stopped = false;
  #running: Promise<void> | undefined;
  /** Between two attempts. */
  readonly #pause = new Pause();
  #failure: string | undefined;
  /** How often it has listened, that of a former worker included. */
  #listened = 0;

  /** Connects to nothing yet. */
  constructor(context: NotificationFeedContext) {
    this.#context = context;
  }

  get gaps(): number {
    return Math.max(0, this.#listened - 1);
  }

  listen(hear: (channel: string, payload: string) => void, takesOver: boolean): void {
    if (this.#running !== undefined) return;
    if (takesOver) this.#listened++;
    this.#failure = "it has not begun";
    this.#running = this.#run(hear);
  }

  pause(): void {
    this.#paused = true;
    this.#excused = true;
    this.#client?.connection.stream.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#client?.connection.stream.resume();
  }

  stop(): void {
    this.#stopped = true;
    this.#pause.stop();
  }

  async close(): Promise<void> {
    this.stop();
    const client = this.#client;
    if (client !== undefined) await disconnect(client);
  }

  health(): string | undefined {
    return this.#failure === undefined ? undefined : `does not listen: ${this.#failure}`;
  }

  async #run(hear: (channel: string, payload: string) => void): Promise<void> {
    for (let attempt = 1; !this.#stopped; attempt++) {
      let reason: string;
      try {
        reason = await this.#listenOnce(hear);
        attempt = 1;
      } catch (error) {
        reason = explain(error).reason;
      }
      if (this.#stopped) return;
      if (reason !== this.#failure) {
        this.#context.logger.warn("does not listen, and tries again: {reason}", { reason });
      }
      this.#failure = reason;
      await this.#pause.wait(retryDelay(attempt, DELAYS, Math.random()));
    }
  }

  /** Listens until the connection is lost, and returns why. */
  async #listenOnce(hear: (channel: string, payload: string) => void): Promise<string> {
    const { channels, logger } = this.#context;
    const client = await connect(await this.#readServer(), { role: "listen" });
    this.#client = client;
    try {
      client.on("notification", ({ channel, payload = "" }) => {
        if (!this.#stopped) hear(channel, payload);
      });
      const sql = channels.map((channel) => `LISTEN ${quoteName(channel)}`).join("; ");
      await ask(client, sql, LISTENING);
      if (this.#stopped) return "";
      this.#failure = undefined;
      if (++this.#listened > 1) {
        logger.warn("listens again: notifications since it was lost are missing");
      }
      return await this.#watch(client);
    } finally {
      this.#client = undefined;
      this.#paused = false;
      await disconnect(client);
    }
  }

  /** Resolves when the connection is lost or not wanted any more. */
  async #watch(client: Client): Promise<string> {
    let lost: Error | undefined;
    const forget = onLost(client, (why) => {
      lost = why;
      this.#pause.wake();
    });
    try {
      while (!this.#stopped && lost === undefined) {
        await this.#pause.wait(BEAT);
        // Nothing is read while the flows are behind, so that no answer would be seen.
        if (this.#stopped || lost !== undefined || this.#paused) continue;
        await this.#beat(client);
      }
    } finally {
      forget();
    }
    return lost === undefined ? "" : explain(lost).reason;
  }

  /** Destroys a connection that does not answer, unless its answers are not read at the moment. */
  async #beat(client: Client): Promise<void> {
    const answered = client.query("SELECT 1").then(() => true, () => true);
    let excused: boolean;
    do {
      this.#excused = this.#paused;
      if (await withTimeout(answered, ANSWERING, () => false)) return;
      excused = this.#excused;
    } while (excused && !this.#stopped);
    destroy(client, "the server does not answer");
  }

  #readServer(): Promise<Server> {
    return this.#server ??= readServer(this.#context.name, this.#context.options);
  }
}
