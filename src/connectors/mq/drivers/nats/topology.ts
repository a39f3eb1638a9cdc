/** The stream, the consumer and the dead letters' stream that a connector needs. */
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  ReplayPolicy,
  type StreamInfo,
  type StreamUpdateConfig,
} from "@nats-io/jetstream";
import { nanos, PermissionViolationError, RequestError } from "@nats-io/transport-node";
import { shownWords } from "../../../../base/shown.ts";
import type { Logger } from "../../../../contract/connector.ts";
import { RefusedError } from "./errors.ts";
import type { DeadLetterSettings, StreamSettings } from "./settings.ts";

/**
 * Milliseconds after which the server delivers a message again that nobody has settled or is working
 * on. What a process had in hand that was killed comes again after them.
 */
export const ACK_WAIT = 10_000;

/** How many messages may wait to be redelivered; beyond them the consumer gets none. */
const MOST_PENDING = 10_000;

/** How long a stream remembers the ids of messages, as servers do by default. */
const DUPLICATES = 120_000;

/** Whether an error says that a stream, or a consumer, is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof JetStreamApiError && (
    error.code === JetStreamApiCodes.StreamNotFound ||
    error.code === JetStreamApiCodes.ConsumerNotFound
  );
}

/** What is not there any more is an answer. */
export async function found<T>(pending: Promise<T>): Promise<T | undefined> {
  try {
    return await pending;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * A stream that this connector cannot make, since no subjects are written. Another one may: that of dead
 * letters is made by the connector whose letters they are, which starts at the same time.
 */
export class StreamAwaitedError extends Error {
  override readonly name = "StreamAwaitedError";
}

/** Somebody else has made the same at this moment: it is there when one looks again. */
const RACES = [10058, 10148];

/** Whether an instance that starts at the same moment was faster. */
export function isRace(error: unknown): boolean {
  return error instanceof JetStreamApiError && RACES.includes(error.code);
}

/**
 * Storage, memory, servers: an operator frees some, or starts those that a stream's replicas need. And a
 * cluster that elects at the moment.
 */
const PASSING = [10023, 10028, 10047, 10005, 10009, 10041];

/**
 * An error of JetStream, as a permanent one where no other attempt can succeed before the configuration
 * of one side has changed. `jetstream`: whether the server says that it has JetStream.
 */
export function judged(error: unknown, jetstream: boolean): unknown {
  if (error instanceof RequestError && error.cause instanceof PermissionViolationError) {
    return new RefusedError(`it refuses a permission: ${shownWords(error.message)}`, {
      cause: error,
    });
  }
  if (error instanceof Error && error.name === "JetStreamNotEnabled") {
    const message = "JetStream is not enabled";
    return jetstream && !(error.cause instanceof JetStreamApiError)
      ? new Error(message, { cause: error })
      : new RefusedError(message, { cause: error });
  }
  if (!(error instanceof JetStreamApiError)) return error;
  const final = [400, 500].includes(error.status) && ![...RACES, ...PASSING].includes(error.code);
  return final ? new RefusedError(error.message, { cause: error }) : error;
}

/**
 * Makes the stream where it is missing. With `change`, one that has other properties than are written
 * is changed.
 */
export async function declareStream(
  manager: JetStreamManager,
  settings: StreamSettings,
  change: boolean,
  logger: Logger,
): Promise<StreamInfo> {
  const { name, subjects } = settings;
  const info = await found(manager.streams.info(name));
  if (info === undefined) {
    if (subjects === undefined) {
      throw new StreamAwaitedError(
        `the stream "${name}" does not exist; write its subjects, and it is made`,
      );
    }
    if (change) logger.info("makes the stream {stream}", { stream: name });
    else logger.warn("the stream {stream} is gone; makes it again", { stream: name });
    return await manager.streams.add({ name, ...propertiesOf(settings) });
  }
  const changes = change ? changesOf(info, settings) : {};
  const names = Object.keys(changes);
  if (names.length === 0) return info;
  try {
    const changed = await manager.streams.update(name, changes);
    logger.info("changed {properties} of the stream {stream}", {
      properties: names.join(", "),
      stream: name,
    });
    return changed;
  } catch (cause) {
    if (!(cause instanceof JetStreamApiError && judged(cause, true) instanceof RefusedError)) {
      throw cause;
    }
    const words = shownWords(cause.message);
    const message = `the stream "${name}" has other properties, and cannot be changed: ${words}`;
    throw new RefusedError(message, { cause });
  }
}

function propertiesOf(
  { subjects, maxAge, maxBytes, replicas }: StreamSettings,
): Partial<StreamUpdateConfig> {
  return {
    ...(subjects !== undefined && { subjects: [...subjects] }),
    ...(maxAge !== undefined && {
      max_age: nanos(maxAge),
      // The server refuses to remember ids longer than messages.
      duplicate_window: nanos(Math.min(DUPLICATES, maxAge)),
    }),
    ...(maxBytes !== undefined && { max_bytes: maxBytes }),
    ...(replicas !== undefined && { num_replicas: replicas }),
  };
}

/** The written properties that the stream does not have. */
function changesOf({ config }: StreamInfo, settings: StreamSettings): Partial<StreamUpdateConfig> {
  const { duplicate_window: _, ...wanted } = propertiesOf(settings);
  const changes: Partial<StreamUpdateConfig> = Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) =>
      !isEqual(config[name as keyof typeof wanted], value)
    ),
  );
  const age = wanted.max_age ?? Infinity;
  return config.duplicate_window > age ? { ...changes, duplicate_window: age } : changes;
}

/** Whether two values, or lists in any order, are the same. */
function isEqual(one: unknown, other: unknown): boolean {
  const text = (value: unknown) => JSON.stringify(Array.isArray(value) ? [...value].sort() : value);
  return text(one) === text(other);
}

/** Makes a stream for the dead letters where none takes them. */
export async function declareDeadLetters(
  manager: JetStreamManager,
  { subject, stream: name }: DeadLetterSettings,
  replicas: number | undefined,
  logger: Logger,
): Promise<void> {
  if (await found(manager.streams.find(subject)) !== undefined) return;
  const info = await found(manager.streams.info(name));
  if (info === undefined) {
    logger.info("makes the stream {stream} for the dead letters", { stream: name });
    await manager.streams.add({
      name,
      subjects: [subject],
      ...(replicas !== undefined && { num_replicas: replicas }),
    });
    return;
  }
  // Another queue of the same stream has made it.
  await manager.streams.update(name, { subjects: [...info.config.subjects, subject] });
}

/** The durable consumer that a connector needs. */
export interface ConsumerSettings {
  readonly stream: string;
  readonly name: string;
  /** Empty: the whole stream. */
  readonly filters: readonly string[];
  readonly prefetch: number;
}

/**
 * Makes the consumer where it is missing; it begins with the message `start`, or with the oldest one.
 * With `change`, one that has other properties is changed.
 */
export async function declareConsumer(
  manager: JetStreamManager,
  { config: { consumer_limits: limits } }: StreamInfo,
  { stream, name, filters, prefetch }: ConsumerSettings,
  { change, start }: { readonly change: boolean; readonly start: number | undefined },
  logger: Logger,
): Promise<ConsumerInfo> {
  const most = Math.max(MOST_PENDING, prefetch);
  const wanted = {
    ack_wait: nanos(ACK_WAIT),
    // Retries are counted here: beyond its own count the server would forget a message.
    max_deliver: -1,
    max_ack_pending: Math.min(most, limits?.max_ack_pending || most),
  };
  const [first, ...more] = filters;
  const filter = more.length > 0
    ? { filter_subjects: [...filters] }
    : first === undefined
    ? {}
    : { filter_subject: first };
  const info = await found(manager.consumers.info(stream, name));
  if (info === undefined) {
    const names = { consumer: name, stream };
    if (change) logger.info("makes the consumer {consumer} of the stream {stream}", names);
    else {
      logger.warn("the consumer {consumer} of the stream {stream} is gone; makes it again", names);
    }
    return await manager.consumers.add(stream, {
      durable_name: name,
      ack_policy: AckPolicy.Explicit,
      replay_policy: ReplayPolicy.Instant,
      ...(start === undefined
        ? { deliver_policy: DeliverPolicy.All }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: start }),
      ...wanted,
      ...filter,
    });
  }
  requireOwn(info);
  if (!change || (hasAll(info.config, wanted) && isEqual(filtersOf(info.config), filters))) {
    return info;
  }
  logger.info("changes the consumer {consumer} of the stream {stream}", { consumer: name, stream });
  return await manager.consumers.update(stream, name, {
    ...wanted,
    // The library sends what the consumer has, and these.
    ...{ filter_subject: undefined, filter_subjects: undefined, backoff: undefined, ...filter },
  } as Partial<ConsumerConfig>);
}

function requireOwn({ name, config }: ConsumerInfo): void {
  const wrong = config.deliver_subject !== undefined
    ? "pushes its messages"
    : config.ack_policy === AckPolicy.Explicit
    ? undefined
    : `has the ack policy "${config.ack_policy}"`;
  if (wrong === undefined) return;
  throw new RefusedError(`the consumer "${name}" ${wrong}; name another queue, or delete it`);
}

function hasAll(config: ConsumerConfig, wanted: Partial<ConsumerConfig>): boolean {
  return Object.entries(wanted).every(([name, value]) =>
    config[name as keyof typeof wanted] === value
  ) &&
    config.backoff === undefined;
}

function filtersOf({ filter_subject, filter_subjects = [] }: ConsumerConfig): readonly string[] {
  return filter_subject ? [filter_subject] : filter_subjects;
}
