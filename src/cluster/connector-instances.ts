/** The instances of a service as one connector sees them. */
import type { BackplaneHistory } from "../contract/backplane.ts";
import type {
  Answers,
  Instances,
  InstancesHistory,
  InstancesListener,
} from "../contract/instances.ts";
import { entry, Kind } from "./batches.ts";
import type { Inbox } from "./inbox.ts";
import type { Interest } from "./interest.ts";
import type { Members } from "./members.ts";
import type { Outbox } from "./outbox.ts";
import type { Questions } from "./questions.ts";
import { ALL, ownTopic, prefixOf } from "./topics.ts";

/** The parts of a group that a connector uses. */
export interface GroupParts {
  readonly id: string;
  readonly echoes: boolean;
  /** Whether somebody else listens to a topic; absent where that is not known. */
  readonly heard: ((topic: string) => boolean) | undefined;
  readonly members: Members;
  readonly outbox: Outbox;
  readonly interest: Interest;
  readonly questions: Questions;
  /** Absent where the backplane keeps no messages. */
  readonly history: BackplaneHistory | undefined;
}

/** The part of one connector. */
export class ConnectorInstances implements Instances {
  readonly id: string;
  readonly echoes: boolean;
  readonly heard?: (topic: string) => boolean;
  readonly history: InstancesHistory | undefined;
  readonly #name: string;
  readonly #prefix: string;
  readonly #parts: GroupParts;
  readonly #inbox: Inbox;

  constructor(name: string, inbox: Inbox, parts: GroupParts) {
    this.id = parts.id;
    this.echoes = parts.echoes;
    const { heard, history, outbox } = parts;
    this.history = history && {
      append: (topic, message, keep, id) =>
        outbox.append(this.#prefix + topic, { message, id }, keep),
      read: (topic, keep, question) => history.read(this.#prefix + topic, keep, question),
    };
    if (heard !== undefined) this.heard = (topic) => heard(this.#prefix + topic);
    this.#name = name;
    this.#prefix = prefixOf(name);
    this.#parts = parts;
    this.#inbox = inbox;
  }

  hear(listener: InstancesListener): void {
    this.#inbox.hear(listener);
  }

  publish(topic: string, message: Uint8Array): Promise<void> | undefined {
    const { outbox, heard } = this.#parts;
    const of = this.#prefix + topic;
    if (heard?.(of) === false) return undefined;
    const sent = entry(Kind.message, { payload: message });
    return this.echoes ? outbox.send(of, sent) : outbox.post(of, sent);
  }

  listen(topic: string): Promise<void> | undefined {
    return this.#parts.interest.listen(this.#prefix + topic);
  }

  unlisten(topic: string): void {
    this.#parts.interest.unlisten(this.#prefix + topic);
  }

  tell(instance: string, message: Uint8Array): Promise<void> | undefined {
    const { outbox, members } = this.#parts;
    if (members.isDead(instance)) return undefined;
    const told = entry(Kind.tell, { connector: this.#name, payload: message });
    return this.echoes
      ? outbox.send(ownTopic(instance), told)
      : outbox.post(ownTopic(instance), told);
  }

  ask(question: Uint8Array, patience: number): Promise<Answers> {
    return this.#ask(ALL, this.#parts.members.others, question, patience);
  }

  async askOne(
    instance: string,
    question: Uint8Array,
    patience: number,
  ): Promise<Uint8Array | undefined> {
    if (!this.#parts.members.has(instance)) return undefined;
    const { answers } = await this.#ask(ownTopic(instance), [instance], question, patience);
    return answers.at(0);
  }

  #ask(topic: string, instances: readonly string[], payload: Uint8Array, patience: number) {
    const { questions, outbox } = this.#parts;
    return questions.ask(
      instances,
      patience,
      (number) =>
        outbox.send(topic, entry(Kind.question, { number, connector: this.#name, payload })),
    );
  }
}
