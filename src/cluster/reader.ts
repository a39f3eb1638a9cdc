/** Reads what the instances send, and passes each part on. */
import type { Position } from "../contract/backplane.ts";
import type { Logger } from "../contract/logger.ts";
import { type Entry, entry, Kind, readBatch, type Unread } from "./batches.ts";
import type { Inbox } from "./inbox.ts";
import type { Joining } from "./joining.ts";
import type { Members } from "./members.ts";
import type { Outbox } from "./outbox.ts";
import type { Questions } from "./questions.ts";
import { ALL, ownTopic, readTopic } from "./topics.ts";

/** What the reader needs. */
export interface ReaderOptions {
  readonly id: string;
  readonly logger: Logger;
  readonly members: Members;
  readonly outbox: Outbox;
  readonly joining: Joining;
  readonly questions: Questions;
  /** Whether the backplane knows the members by itself. */
  readonly told: boolean;
  /** The others have declared this instance dead. */
  lost(): void;
}

/** Where an entry comes from. */
interface Origin {
  readonly topic: string;
  readonly sender: string;
}

/** Passes entries on, in their order. */
export class Reader {
  readonly #options: ReaderOptions;
  /** By the name of the connector. */
  readonly #inboxes = new Map<string, Inbox>();
  /** The same, by the name as topics have it. */
  readonly #byTopic = new Map<string, Inbox>();
  readonly #logged = new Set<Unread>();
  /** How many messages have come for connectors. */
  received = 0;
  /** How many messages nobody could read. */
  unreadable = 0;

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Sets where the messages of a connector go. */
  add(connector: string, inbox: Inbox): void {
    this.#inboxes.set(connector, inbox);
    this.#byTopic.set(encodeURIComponent(connector), inbox);
  }

  /** Reads a message of the backplane. It never throws, whatever the bytes are. */
  read(topic: string, bytes: Uint8Array): void {
    const batch = readBatch(bytes);
    if (typeof batch === "string") return this.#refuse(batch);
    const { sender, sequence, entries } = batch;
    const own = readTopic(topic);
    if (own !== undefined) this.#message(...own, sender, entries);
    else for (const part of entries) this.#control(part, { topic, sender });
    if (sender === this.#options.id) this.#options.outbox.heard(sequence);
  }

  /** Reads messages that were kept. */
  readKept(topic: string, at: Position, messages: readonly Uint8Array[]): void {
    const own = readTopic(topic);
    const inbox = own && this.#byTopic.get(own[0]);
    if (own !== undefined && inbox !== undefined) {
      this.received += messages.length;
      inbox.push((listener) => listener.kept?.(own[1], at, messages));
    }
    const { epoch, offset } = at;
    this.#options.outbox.heardKept(topic, { epoch, offset: offset + messages.length - 1 });
  }

  /** Tells all connectors that messages may be lost, after those that have come before. */
  gap(): void {
    for (const inbox of this.#inboxes.values()) inbox.push((listener) => listener.gap());
  }

  /** Tells all connectors that instances have left or died, after what these have sent before. */
  gone(instances: readonly string[]): void {
    for (const inbox of this.#inboxes.values()) {
      for (const id of instances) inbox.push((listener) => listener.gone?.(id));
    }
  }

  /** Passes nothing on any more. */
  close(): void {
    for (const inbox of this.#inboxes.values()) inbox.close();
  }

  #message(connector: string, topic: string, sender: string, entries: readonly Entry[]): void {
    const inbox = this.#byTopic.get(connector);
    if (inbox === undefined) return;
    for (const { kind, payload } of entries) {
      if (kind !== Kind.message) continue;
      this.received += 1;
      inbox.push((listener) => listener.message(topic, payload, sender));
    }
  }

  #control({ kind, number, connector, payload }: Entry, { topic, sender }: Origin): void {
    const { id, joining, questions, told } = this.#options;
    if (kind === Kind.tell) return this.#told(connector, payload, sender);
    // What an instance sends to all is for the others.
    if (sender === id && topic === ALL) return;
    if (kind === Kind.question) this.#question(number, connector, payload, sender);
    else if (kind === Kind.answer) questions.answered(number, sender, payload);
    else if (kind === Kind.unanswered) questions.unanswered(number, sender);
    else if (kind === Kind.hello) joining.hears(sender);
    else if (kind === Kind.welcome) this.#check(joining.welcomed(sender, number, payload));
    else if (kind === Kind.progress) this.#check(joining.progressed(payload));
    else if (!told) this.#membership(kind, number, sender);
  }

  #membership(kind: number, age: number, sender: string): void {
    const { members, outbox, lost } = this.#options;
    if (kind === Kind.leave) members.leave(sender);
    else if (kind === Kind.dropped && age === members.age) lost();
    else if (kind === Kind.heartbeat) {
      // One that was declared dead, and has not noticed yet.
      if (age > (members.diedAt(sender) ?? 0)) members.hear(sender, age);
      else void outbox.post(ownTopic(sender), entry(Kind.dropped, { number: age }));
    }
  }

  #told(connector: string, payload: Uint8Array, sender: string): void {
    this.received += 1;
    this.#inboxes.get(connector)?.push((listener) => listener.message("", payload, sender));
  }

  /** Answers in its turn among the messages, without holding them back. */
  #question(number: number, connector: string, payload: Uint8Array, sender: string): void {
    const { outbox, logger } = this.#options;
    const reply = (kind: number, answer?: Uint8Array) =>
      void outbox.post(ownTopic(sender), entry(kind, { number, payload: answer }));
    if (connector === "") return reply(Kind.answer);
    const inbox = this.#inboxes.get(connector);
    if (inbox?.isHeard !== true) return reply(Kind.unanswered);
    const ahead = inbox.answerAhead(payload, sender);
    if (ahead !== undefined) return reply(Kind.answer, ahead);
    inbox.push((listener) => {
      const answering = (async () => await listener.answer(payload, sender))();
      answering.then(
        (answer) => reply(Kind.answer, answer),
        (error) =>
          logger.error("a question of another instance was not answered: {error}", { error }),
      );
    });
  }

  #check(readable: boolean): void {
    if (!readable) this.#refuse("unreadable");
  }

  #refuse(why: Unread): void {
    this.unreadable += 1;
    if (this.#logged.has(why)) return;
    this.#logged.add(why);
    this.#options.logger.warn(
      why === "unreadable"
        ? "ignored a message on the backplane that no instance has written: no other program may write to it"
        : "ignored a message on the backplane in another format: all instances need versions of Weir that " +
          "work together, and no other program may write to it",
    );
  }
}
