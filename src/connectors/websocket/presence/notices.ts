/** Tells the members of one room to the clients that ask: a list, and then what changes. */
import type { Clock } from "../../../base/clock.ts";
import { Frame } from "../../../transport/frame.ts";
import type { OpenConnection } from "../registry.ts";
import type { PresenceOptions } from "./fields.ts";
import type { Member } from "./member.ts";

/** What the notices of all rooms of a connector share. */
export interface NoticeContext {
  readonly clock: Clock;
  /** The largest size of a frame. */
  readonly limit: number;
  /** That many frames have been sent. */
  sent(frames: number): void;
  /** The list of this room is larger than a frame may be. */
  tooLarge(room: string): void;
}

/** The notices of one room. */
export class Notices {
  readonly #room: string;
  readonly #options: PresenceOptions;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #context: NoticeContext;
  readonly #watchers = new Set<OpenConnection>();
  /** They wait for their list. */
  readonly #newcomers = new Set<OpenConnection>();
  /** What the watchers know of members that have changed since; undefined for nothing. */
  readonly #before = new Map<string, Known | undefined>();
  /** Whether the watchers have the list, and which count they were told last. */
  #isListed = true;
  #count = 0;
  #sentAt = -Infinity;
  /** Cancels the frames that are due; undefined where none are. */
  #cancel: (() => void) | undefined;
  #isReady: boolean;

  /** `isReady` is false where the members are not known yet. */
  constructor(
    room: string,
    options: PresenceOptions,
    members: ReadonlyMap<string, Member>,
    isReady: boolean,
    context: NoticeContext,
  ) {
    this.#room = room;
    this.#options = options;
    this.#members = members;
    this.#isReady = isReady;
    this.#context = context;
  }

  /** The members are known now: those that wait get their list. */
  ready(): void {
    this.#isReady = true;
    if (this.#newcomers.size > 0) this.#schedule();
  }

  /** A client is told the list, and from then on what changes. */
  add(connection: OpenConnection): void {
    this.#watchers.delete(connection);
    this.#newcomers.add(connection);
    if (this.#isReady) this.#schedule();
  }

  /** A client is told nothing more. */
  remove(connection: OpenConnection): void {
    if (this.#newcomers.delete(connection) || !this.#watchers.delete(connection)) return;
    if (this.#watchers.size === 0) this.#before.clear();
  }

  /** A member is about to change, to come or to go. */
  changing(id: string): void {
    if (this.#watchers.size === 0) return;
    if (this.#isListed && !this.#before.has(id)) {
      const member = this.#members.get(id);
      this.#before.set(id, member && { reference: member.reference, text: member.text });
    }
    this.#schedule();
  }

  /** Tells nothing more. */
  close(): void {
    this.#cancel?.();
    this.#watchers.clear();
    this.#newcomers.clear();
  }

  #schedule(): void {
    if (this.#cancel !== undefined) return;
    const { clock } = this.#context;
    const wait = this.#sentAt + this.#options.interval - clock.elapsed();
    if (wait > 0) {
      this.#cancel = clock.after(wait, () => this.#flush());
      return;
    }
    let isCancelled = false;
    this.#cancel = () => isCancelled = true;
    queueMicrotask(() => {
      if (!isCancelled) this.#flush();
    });
  }

  /** Whoever waits for the list and whoever has it are told the same state, so both go on from it. */
  #flush(): void {
    this.#cancel = undefined;
    const size = this.#members.size;
    const newcomers = this.#isReady ? [...this.#newcomers] : [];
    const needsList = newcomers.length > 0 || (this.#watchers.size > 0 && !this.#isListed);
    const list = size <= this.#options.max && needsList ? this.#list() : undefined;
    const changes = this.#watchers.size > 0 && this.#isListed ? this.#changes() : undefined;
    const isSmall = size <= this.#options.max && this.#fits(list) && this.#fits(changes);
    if (isSmall) {
      this.#send(this.#isListed ? changes : list, this.#watchers);
      this.#send(list, newcomers);
    } else {
      const count = this.#countOnly();
      if (this.#isListed || this.#count !== size) this.#send(count, this.#watchers);
      this.#send(count, newcomers);
    }
    this.#isListed = isSmall;
    this.#count = size;
    this.#before.clear();
    for (const one of newcomers) {
      this.#newcomers.delete(one);
      this.#watchers.add(one);
    }
  }

  #send(frame: Frame | undefined, to: ReadonlySet<OpenConnection> | readonly OpenConnection[]) {
    if (frame === undefined) return;
    let sent = 0;
    for (const connection of to) if (connection.send(frame)) sent++;
    if (sent === 0) return;
    this.#sentAt = this.#context.clock.elapsed();
    this.#context.sent(sent);
  }

  #fits(frame: Frame | undefined): boolean {
    if (frame === undefined || frame.size <= this.#context.limit) return true;
    this.#context.tooLarge(this.#room);
    return false;
  }

  #list(): Frame {
    const members = [...this.#members.values()].map(({ text }) => text);
    return this.#frame(`,"members":[${members}]`);
  }

  #countOnly(): Frame {
    return this.#frame("");
  }

  /** Undefined where the changes have cancelled each other. */
  #changes(): Frame | undefined {
    const [joined, left, changed]: string[][] = [[], [], []];
    for (const [id, before] of this.#before) {
      const member = this.#members.get(id);
      if (member === undefined) {
        if (before !== undefined) left.push(before.reference);
      } else if (before === undefined) joined.push(member.text);
      else if (before.text !== member.text) changed.push(member.text);
    }
    if (joined.length + left.length + changed.length === 0) return undefined;
    return this.#frame(`,"joined":[${joined}],"left":[${left}],"changed":[${changed}]`);
  }

  #frame(rest: string): Frame {
    const room = JSON.stringify(this.#room);
    const count = this.#members.size;
    return new Frame(`{"type":"presence","room":${room},"count":${count}${rest}}`);
  }
}

/** What watchers know of a member, as JSON. */
interface Known {
  readonly reference: string;
  readonly text: string;
}
