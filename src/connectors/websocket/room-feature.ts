/** What a feature of rooms, such as presence or history, is notified of. */
import type { WriteRequest } from "../../contract/connector.ts";
import type { JoinWishes } from "./join-wishes.ts";
import type { Refusal } from "./protocol.ts";
import type { OpenConnection } from "./registry.ts";

/** What a feature adds to the answer of a join. */
export interface JoinAnswer {
  /** Fields that the ack has beside `id` and `data`. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Is called when the frame has been answered, whether by an ack, by an error or not at all. */
  answered?(): void;
}

/** A feature of rooms. None of its methods throws or rejects, unless it says so. */
export interface RoomFeature {
  /** Why a client that may join does not, asked before it is a member; undefined where it does. */
  refuse?(connection: OpenConnection, room: string, wishes: JoinWishes): Refusal | undefined;
  /** A connection is a member from now on, or a member joins again. */
  joined(connection: OpenConnection, room: string, wishes: JoinWishes): void;
  /**
   * What the answer to the frame of that join has, asked before the flows on it run. A refusal ends
   * the membership.
   */
  answer?(
    connection: OpenConnection,
    room: string,
    wishes: JoinWishes,
  ): JoinAnswer | undefined | Promise<JoinAnswer | Refusal | undefined>;
  /** A membership has ended: the client has left, or else (`isLost`) its connection ends. */
  left(connection: OpenConnection, room: string, isLost: boolean): void;
  /** A client that has lost its memberships does not come back: it said so, or a flow has ended it. */
  ended?(connection: OpenConnection): void;
  /** A client has renewed its token. */
  renewed?(connection: OpenConnection): void;
  /** The types of the frames that it serves. */
  readonly frames?: ReadonlySet<string>;
  /** Serves such a frame, or returns why it is refused. */
  serve?(connection: OpenConnection, room: string, data: unknown): Refusal | undefined;
  /** The operations of steps that it serves. */
  readonly operations?: ReadonlySet<string>;
  /**
   * Serves such a step about a room.
   *
   * @throws {ConnectorError} The room is none that it serves.
   */
  ask?(request: WriteRequest): unknown;
  /** The kind of its messages to other instances. */
  readonly kind?: string;
  /** Hears those messages; undefined where there can be no other instances. */
  readonly others?: FeatureListener | undefined;
  /** Its numbers. */
  counts?(): Readonly<Record<string, number>>;
  /** Releases everything. */
  close?(): void;
}

/** Hears what the same feature in other instances sends. */
export interface FeatureListener {
  /**
   * A message to a topic, or to this instance alone (an empty topic).
   *
   * @throws {Nonsense} It makes no sense.
   */
  message(text: string, topic: string, from: string): void;
  /**
   * A question; what it asks for is sent before this returns.
   *
   * @throws {Nonsense} It makes no sense.
   */
  answer(text: string, from: string): void;
  /** An instance has died. */
  gone(instance: string): void;
  /** What others have sent may be lost. */
  gap(): void;
}

/** All features of a connector as one. */
export class RoomFeatures {
  readonly #features: RoomFeature[] = [];

  /** Adds a feature, before the first client connects. */
  add(feature: RoomFeature): void {
    this.#features.push(feature);
  }

  /** As `refuse` of each feature. */
  refuse(connection: OpenConnection, room: string, wishes: JoinWishes): Refusal | undefined {
    for (const feature of this.#features) {
      const refusal = feature.refuse?.(connection, room, wishes);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  /** As `joined` of each feature. */
  joined(connection: OpenConnection, room: string, wishes: JoinWishes): void {
    for (const feature of this.#features) feature.joined(connection, room, wishes);
  }

  /**
   * The answers of all features. Returns a promise only where one of them does; undefined where no
   * feature adds anything.
   */
  answer(
    connection: OpenConnection,
    room: string,
    wishes: JoinWishes,
  ): JoinAnswer | undefined | Promise<JoinAnswer | Refusal | undefined> {
    if (this.#features.length === 0) return undefined;
    const answers = this.#features.map((one) => one.answer?.(connection, room, wishes));
    if (answers.some((one) => one instanceof Promise)) return Promise.all(answers).then(sumOf);
    return sumOf(answers as readonly (JoinAnswer | undefined)[]) as JoinAnswer | undefined;
  }

  /** As `left` of each feature. */
  left(connection: OpenConnection, room: string, isLost: boolean): void {
    for (const feature of this.#features) feature.left(connection, room, isLost);
  }

  /** As `ended` of each feature. */
  ended(connection: OpenConnection): void {
    for (const feature of this.#features) feature.ended?.(connection);
  }

  /** As `renewed` of each feature. */
  renewed(connection: OpenConnection): void {
    for (const feature of this.#features) feature.renewed?.(connection);
  }

  /** The feature that serves frames of a type. */
  serving(type: string): RoomFeature | undefined {
    if (this.#features.length === 0) return undefined;
    return this.#features.find(({ frames }) => frames?.has(type));
  }

  /** The feature that serves steps with an operation. */
  asked(operation: string | undefined): RoomFeature | undefined {
    if (operation === undefined || this.#features.length === 0) return undefined;
    return this.#features.find(({ operations }) => operations?.has(operation));
  }

  /** The listener for messages of a kind. */
  listener(kind: string): FeatureListener | undefined {
    return this.#features.find((one) => one.kind === kind)?.others;
  }

  /** All that hear messages. */
  get listeners(): readonly FeatureListener[] {
    return this.#features.flatMap(({ others }) => others === undefined ? [] : [others]);
  }

  /** As `counts` of all features. */
  counts(): Readonly<Record<string, number>> {
    return Object.assign({}, ...this.#features.map((one) => one.counts?.()));
  }

  /** As `close` of each feature. */
  close(): void {
    for (const feature of this.#features) feature.close?.();
  }
}

/** All answers as one, or the first refusal among them. */
function sumOf(
  answers: readonly (JoinAnswer | Refusal | undefined)[],
): JoinAnswer | Refusal | undefined {
  const given = answers.filter((one) => one !== undefined);
  const refusal = given.find((one) => "code" in one);
  if (refusal !== undefined) {
    for (const one of given) if (!("code" in one)) one.answered?.();
    return refusal;
  }
  const accepted = given as readonly JoinAnswer[];
  if (accepted.length < 2) return accepted.at(0);
  const fields = accepted.filter((one) => one.fields !== undefined).map((one) => one.fields);
  return {
    ...(fields.length > 0 && { fields: Object.assign({}, ...fields) }),
    answered: () => accepted.forEach((one) => one.answered?.()),
  };
}
