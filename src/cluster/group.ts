/** The instances of one service as a group, over any backplane. */
import { type Clock, endOfTick } from "../base/clock.ts";
import { withTimeout } from "../base/timeout.ts";
import { type Backplane, BackplaneError } from "../contract/backplane.ts";
import type { Progress } from "../contract/cluster.ts";
import type { Logger } from "../contract/logger.ts";
import type { Group, Instances, SharedDedupe, Turn } from "../contract/instances.ts";
import { entry, Kind } from "./batches.ts";
import { sharedDedupe } from "./claims.ts";
import { ConnectorInstances } from "./connector-instances.ts";
import { Heartbeats } from "./heartbeats.ts";
import { Inbox } from "./inbox.ts";
import { Interest } from "./interest.ts";
import { Joining, progressEntry } from "./joining.ts";
import { Leadership } from "./leadership.ts";
import { Link } from "./link.ts";
import { Members } from "./members.ts";
import { Outbox } from "./outbox.ts";
import { ScheduleProgress } from "./progress.ts";
import { Questions } from "./questions.ts";
import { Reader } from "./reader.ts";
import { ALL, ownTopic } from "./topics.ts";

/** Nothing that the service does once begins when the others have not heard of it for so long. */
const MAX_UNHEARD = 5_000;
/** Milliseconds that `start` waits until it knows the others, and `close` until they know. */
const TIME_TO_JOIN = 5_000;
const TIME_TO_LEAVE = 500;
/** Milliseconds in which all others have to answer that they know of a subscription. */
const TIME_TO_PROBE = 2_000;

/** What a group is made with. */
export interface GroupOptions {
  /** The id of this instance, the same as its backplane's. */
  readonly id: string;
  readonly backplane: Backplane;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Makes the group of one instance. It does nothing before its `start`. */
export function createGroup(options: GroupOptions): Group {
  return new InstanceGroup(options);
}

class InstanceGroup implements Group {
  readonly shared: SharedDedupe | undefined;
  readonly #options: GroupOptions;
  readonly #members: Members;
  readonly #outbox: Outbox;
  readonly #interest: Interest;
  readonly #questions: Questions;
  readonly #leadership: Leadership;
  readonly #heartbeats: Heartbeats;
  readonly #progress: ScheduleProgress;
  readonly #reader: Reader;
  readonly #link: Link;
  readonly #connectors = new Map<string, ConnectorInstances>();
  #closed: Promise<void> | undefined;

  constructor(options: GroupOptions) {
    const { id, backplane, clock, logger } = options;
    const { echoes, members: told } = backplane.capabilities;
    this.#options = options;
    const members = this.#members = new Members(id, (gone) => {
      this.#tellOfDeaths(gone);
      this.#questions.gone(gone);
      this.#reader.gone(gone);
      // Until others have heard of this instance, another one may be the oldest.
      if (this.#link.isReady || members.age === undefined) this.#leadership.update(members.oldest);
    });
    const hears = (topic: string) =>
      echoes && (topic === ALL || topic === ownTopic(id) || this.#interest.hears(topic));
    const hearsKept = (topic: string) => this.#interest.hears(topic);
    const outbox = this.#outbox = new Outbox({ id, backplane, clock, logger, hears, hearsKept });
    this.#interest = new Interest({
      backplane,
      clock,
      probe: () => this.#probe(),
      ended: (topics) => outbox.forget(topics),
    });
    this.#questions = new Questions(clock);
    this.#leadership = new Leadership(id, logger);
    this.#progress = new ScheduleProgress(clock);
    const joining = new Joining({
      clock,
      members,
      told,
      progress: this.#progress,
      sendAll: (entry) => outbox.send(ALL, entry),
      post: (instance, entry) => void outbox.post(ownTopic(instance), entry),
    });
    this.#heartbeats = new Heartbeats({
      clock,
      members,
      isJoined: () => this.#link.isReady,
      send: (number) => outbox.send(ALL, entry(Kind.heartbeat, { number })),
      lost: () => this.#link.lost(),
    });
    this.#link = new Link({
      id,
      backplane,
      clock,
      logger,
      members,
      outbox,
      joining,
      heartbeats: this.#heartbeats,
      probe: () => this.#interest.size > 0 ? this.#probe() : Promise.resolve(),
      joined: () => this.#leadership.update(members.oldest),
      gap: () => this.#reader.gap(),
    });
    this.#reader = new Reader({
      id,
      logger,
      members,
      outbox,
      joining,
      questions: this.#questions,
      told,
      lost: () => this.#link.lost(),
    });
    const isDead = (instance: string) => members.isDead(instance);
    this.shared = backplane.keys &&
      sharedDedupe({ id, keys: backplane.keys, clock, logger, isDead });
  }

  connector(name: string): Instances {
    const known = this.#connectors.get(name);
    if (known !== undefined) return known;
    const { id, backplane, clock, logger } = this.#options;
    const inbox = new Inbox(clock, logger);
    this.#reader.add(name, inbox);
    const made = new ConnectorInstances(name, inbox, {
      id,
      echoes: backplane.capabilities.echoes,
      heard: backplane.heard && ((topic) => backplane.heard?.(topic) !== false),
      members: this.#members,
      outbox: this.#outbox,
      interest: this.#interest,
      questions: this.#questions,
      history: backplane.history,
    });
    this.#connectors.set(name, made);
    return made;
  }

  async start(): Promise<void> {
    const { backplane, clock } = this.#options;
    await backplane.open({
      message: (topic, bytes) => this.#reader.read(topic, bytes),
      down: (reason) => this.#link.down(reason),
      up: () => this.#link.up(),
      members: (ids) => this.#members.tell(ids),
      kept: (topic, at, messages) => this.#reader.readKept(topic, at, messages),
    });
    if (!backplane.capabilities.members) this.#heartbeats.start();
    await withTimeout(this.#link.joined, TIME_TO_JOIN, () => {}, clock);
  }

  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const { backplane, clock } = this.#options;
    const joined = this.#link.isReady;
    this.#link.close();
    this.#heartbeats.stop();
    this.#leadership.close();
    if (joined) {
      // Those that do not hear it miss its heartbeats.
      const told = this.#outbox.send(ALL, entry(Kind.leave)).catch(() => {});
      await withTimeout(told, TIME_TO_LEAVE, () => {}, clock);
    }
    this.#outbox.close();
    this.#interest.close();
    this.#questions.close();
    this.#reader.close();
    await backplane.close();
  }

  health(): string | undefined {
    return this.#options.backplane.health() ?? this.#link.health();
  }

  counts(): Readonly<Record<string, number>> {
    return {
      backplane_gaps: this.#link.gaps,
      backplane_received: this.#reader.received,
      backplane_sent: this.#outbox.sent,
      backplane_topics: this.#interest.size,
      backplane_unknown: this.#outbox.unknown,
      backplane_unreadable: this.#reader.unreadable,
      instances: this.#members.count,
    };
  }

  lead(turn: Turn): void {
    this.#leadership.lead(turn);
  }

  get mayLead(): boolean {
    if (!this.#leadership.isOwn || !this.#link.isReady) return false;
    const { members: told } = this.#options.backplane.capabilities;
    return told || this.#heartbeats.unheard < MAX_UNHEARD;
  }

  loadProgress(schedule: string): Progress | undefined {
    return this.#progress.load(schedule);
  }

  saveProgress(schedule: string, progress: Progress): void {
    this.#progress.save(schedule, progress);
    // The successor of an instance that was declared dead has come further.
    if (this.mayLead) void this.#outbox.post(ALL, progressEntry(schedule, progress));
  }

  /** One that has ended by itself, and one whose end the backplane notices, need no line of every other. */
  #tellOfDeaths(gone: readonly string[]): void {
    const members = this.#members;
    for (const instance of gone) {
      if ((members.diedAt(instance) ?? Infinity) === Infinity) continue;
      this.#options.logger.warn(
        "instance {instance} has not been heard of for six seconds, and counts as dead; " +
          "instances that are left, with this one: {count}",
        { instance, count: members.count },
      );
    }
  }

  /**
   * Asks all whether they know of a subscription. One from which nothing at all comes meanwhile, not
   * even a heartbeat, sends nothing that could be missed: it may have died a moment ago.
   */
  async #probe(): Promise<void> {
    const { awake } = this.#members;
    const { missing } = await this.#questions.ask(
      [...awake.keys()],
      TIME_TO_PROBE,
      (number) => this.#outbox.send(ALL, entry(Kind.question, { number })),
    );
    if (missing.length === 0) return;
    // After a time in which the process was blocked, what has arrived is read first.
    await new Promise<void>(endOfTick);
    const lives = (id: string) => (this.#members.heard(id) ?? 0) > (awake.get(id) ?? 0);
    if (!missing.some(lives)) return;
    throw new BackplaneError("an instance did not answer whether it knows of a subscription");
  }
}
