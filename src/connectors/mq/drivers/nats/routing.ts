/** Subjects, queue groups and streams in memory: how NATS routes. */
import type {
  MemoryBinding,
  MemoryRouting,
  MemoryTarget,
  Publication,
} from "../../../../messaging/mod.ts";
import { deadLetterTexts, shownHeaders, textsOf } from "./headers.ts";
import { compileSubject } from "./subjects.ts";

/** What a flow without an operation subscribes to. */
export const EVERY_SUBJECT = ">";

/** For how many milliseconds a stream drops messages with the same id. */
const DUPLICATE_WINDOW = 120_000;

/** Those who are subscribed get a message at once; streams keep it. A message goes to both. */
const CORE = "core";
const STREAMS = "streams";

/** What of a connector decides where its messages go. */
export interface NatsPlaces {
  /** That of the servers. */
  readonly address: string;
  readonly longestKey: number;
  readonly prefetch: number;
  /** The queue group; with a stream the durable consumer. */
  readonly queue: string | undefined;
  readonly stream: { readonly name: string; readonly subjects: readonly string[] } | undefined;
  /** The subject of dead letters. */
  readonly deadLetterSubject: string | undefined;
}

/** How a connector of NATS routes. */
export function natsRouting(places: NatsPlaces): MemoryRouting {
  const { address, longestKey, prefetch, stream, deadLetterSubject } = places;
  const sent = (message: Publication): MemoryTarget => {
    const { messageId: id } = message;
    return {
      places: [CORE, STREAMS],
      headers: shownHeaders(textsOf(message)),
      unique: id === undefined ? undefined : { id, window: DUPLICATE_WINDOW },
    };
  };
  return {
    address: `nats ${address}`,
    longestKey,
    prefetch,
    bindings(operations) {
      const subjects = [...new Set(operations.map((operation) => operation ?? EVERY_SUBJECT))];
      return stream === undefined
        ? coreBindings(subjects, places)
        : streamBindings(subjects, stream, places);
    },
    publish(message) {
      const reason = "no stream takes the subject";
      return {
        ...sent(message),
        required: stream === undefined ? undefined : { place: STREAMS, reason },
      };
    },
    given: sent,
    deadLetter({ routingKey }, why, headers) {
      // All of them are texts, since a publish has made them so.
      const texts = Object.entries(headers)
        .map(([name, value]) => [name, [value].flat() as string[]] as const);
      return {
        places: [CORE, STREAMS],
        key: deadLetterSubject ?? "",
        headers: shownHeaders(deadLetterTexts(texts, routingKey, why)),
      };
    },
    metadata: ({ routingKey }, _key, headers) => ({ subject: routingKey, headers }),
  };
}

function coreBindings(
  subjects: readonly string[],
  { queue }: NatsPlaces,
): readonly MemoryBinding[] {
  return subjects.map((subject) => ({
    place: CORE,
    matches: compileSubject(subject),
    // The server sends a message for each subscription that it fits, and once for a queue group.
    ...(queue === undefined ? { key: subject } : { group: queue }),
  }));
}

function streamBindings(
  subjects: readonly string[],
  { name, subjects: kept }: NonNullable<NatsPlaces["stream"]>,
  { queue }: NatsPlaces,
): readonly MemoryBinding[] {
  const keepers = kept.map(compileSubject);
  const isKept = (subject: string) => keepers.some((matches) => matches(subject));
  const consumers = subjects.map((subject) => {
    const matches = compileSubject(subject);
    return {
      place: STREAMS,
      matches: (key: string) => matches(key) && isKept(key),
      queue: queue === undefined ? undefined : JSON.stringify([name, queue]),
    };
  });
  return [{ place: STREAMS, matches: isKept, keeps: name }, ...consumers];
}
