/** The link of one instance to the others: it joins them, is cut off, and joins again. */
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/shown.ts";
import type { Backplane } from "../contract/backplane.ts";
import type { Logger } from "../contract/logger.ts";
import type { Heartbeats } from "./heartbeats.ts";
import type { Joining } from "./joining.ts";
import type { Members } from "./members.ts";
import type { Outbox } from "./outbox.ts";
import { ALL, ownTopic } from "./topics.ts";

/** Milliseconds until it tries again to join. */
const TIME_TO_TRY_AGAIN = 1_000;

/** What the link needs. */
export interface LinkOptions {
  readonly id: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly members: Members;
  readonly outbox: Outbox;
  readonly joining: Joining;
  readonly heartbeats: Heartbeats;
  /**
   * Resolves when all subscriptions are in force everywhere.
   *
   * @throws {BackplaneError} They are not known to be.
   */
  probe(): Promise<void>;
  /** It has joined the others, for the first time or again. */
  joined(): void;
  /** What others have sent may be lost. */
  gap(): void;
}

/** Joins the others whenever there is a connection. */
export class Link {
  readonly #options: LinkOptions;
  readonly #joined = Promise.withResolvers<void>();
  /** Another one for each connection and each time of joining. */
  #attempt = 0;
  #connected = false;
  #subscribed = false;
  #ready = false;
  /** Whether it was ready, and has lost something since. */
  #cutOff = false;
  #closed = false;
  #cancelRetry: (() => void) | undefined;
  /** How often it was cut off. */
  gaps = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** Resolves when it has joined for the first time, or is closed. */
  get joined(): Promise<void> {
    return this.#joined.promise;
  }

  /** Whether it has joined and is connected. */
  get isReady(): boolean {
    return this.#ready;
  }

  /** Why it is not ready although it is connected. */
  health(): string | undefined {
    return this.#connected && !this.#ready ? "joining the other instances" : undefined;
  }

  /** There is a connection. */
  up(): void {
    if (this.#closed) return;
    this.#connected = true;
    this.#options.members.forgive();
    this.#join();
  }

  /** There is no connection. */
  down(reason: string): void {
    if (this.#closed) return;
    this.#connected = false;
    this.#cut(`the other instances cannot be reached: {reason}`, { reason });
    this.#options.outbox.down(reason);
  }

  /** The others may have declared this instance dead. */
  lost(): void {
    if (!this.#ready) return;
    this.#cut("the other instances have not heard of this one for too long: it joins again");
    this.#options.members.leaveOwn();
    this.#join();
  }

  /** Joins no more. */
  close(): void {
    this.#closed = true;
    this.#ready = false;
    this.#attempt += 1;
    this.#cancelRetry?.();
    this.#joined.resolve();
  }

  #cut(message: string, properties?: Readonly<Record<string, unknown>>): void {
    this.#attempt += 1;
    this.#cancelRetry?.();
    if (!this.#ready) return;
    this.#ready = false;
    this.#cutOff = true;
    this.#options.logger.warn(message, properties);
  }

  #join(): void {
    const attempt = ++this.#attempt;
    this.#cancelRetry?.();
    this.#tryToJoin(() => this.#attempt === attempt).catch((error) => {
      if (this.#attempt !== attempt) return;
      const { logger, clock } = this.#options;
      logger.debug("could not join the other instances yet: {reason}", {
        reason: messageOf(error),
      });
      this.#cancelRetry = clock.after(TIME_TO_TRY_AGAIN, () => this.#join());
    });
  }

  /** Goes on only while this is the current attempt. */
  async #tryToJoin(isCurrent: () => boolean): Promise<void> {
    const { id, backplane, members, joining, heartbeats, probe } = this.#options;
    const { members: told, live } = backplane.capabilities;
    if (!this.#subscribed) {
      await backplane.subscribe([ALL, ownTopic(id)]);
      this.#subscribed = true;
    }
    if (told || members.age === undefined || heartbeats.isLost) {
      if (!told && members.age !== undefined) members.leaveOwn();
      await joining.hello();
      if (!isCurrent()) return;
      if (!told) members.join();
    }
    if (!told) await heartbeats.beat();
    if (live === "probe" && this.#cutOff) await probe();
    if (!isCurrent()) return;
    if (this.#cutOff) this.#tellGap();
    this.#ready = true;
    this.#joined.resolve();
    this.#options.joined();
  }

  #tellGap(): void {
    this.#cutOff = false;
    this.gaps += 1;
    this.#options.logger.warn("messages of other instances may be lost: this one was cut off");
    this.#options.gap();
  }
}
