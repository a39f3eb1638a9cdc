/** Channels and streams in memory: how Redis routes. */
import {
  deadLetterHeaders,
  type MemoryHeaders,
  type MemoryRouting,
  type MemoryTarget,
} from "../../../../messaging/mod.ts";
import { compileGlob, isGlob } from "./glob.ts";

/** What a flow without an operation subscribes to, where operations are channels. */
export const EVERY_CHANNEL = "*";

/** All databases of a server have the same channels. */
const CHANNEL = "channel";

/** A header as an entry of a stream carries it: a text as it is, anything else as JSON. */
export function headerText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "null";
}

/** What of a connector decides where its messages go. */
export interface RedisPlaces {
  /** That of the server. */
  readonly address: string;
  /** The number of the database, which its streams are in. */
  readonly database: number;
  readonly longestKey: number;
  readonly prefetch: number;
  /** The consumer group: operations are streams. Undefined: they are channels and globs. */
  readonly group: string | undefined;
  /** What it publishes to. */
  readonly mode: "channel" | "stream";
  /** The stream of dead letters. */
  readonly deadLetterStream: string | undefined;
}

/** How a connector of Redis routes. */
export function redisRouting(
  { address, database, longestKey, prefetch, group, mode, deadLetterStream }: RedisPlaces,
): MemoryRouting {
  const streams = `stream of ${database}`;
  return {
    address: `redis ${address}`,
    longestKey,
    prefetch,
    bindings(operations) {
      const names = [...new Set(operations.map((operation) => operation ?? EVERY_CHANNEL))];
      return names.map((name) =>
        group === undefined
          // Redis sends a message for each subscription that it fits.
          ? { place: CHANNEL, matches: compileGlob(name), key: name }
          // What an instance leaves of a stream is for the others of its group.
          : {
            place: streams,
            matches: (stream) => stream === name,
            queue: JSON.stringify([database, name, group]),
          }
      );
    },
    publish: ({ headers }) => sentTo(mode === "channel" ? CHANNEL : streams, headers),
    given: ({ headers }) => sentTo(group === undefined ? CHANNEL : streams, headers),
    deadLetter({ routingKey }, why, headers) {
      const all = { ...headers, ...texts(deadLetterHeaders({ routingKey }, why)) };
      return { places: [streams], key: deadLetterStream ?? "", headers: all };
    },
    metadata({ routingKey, time, sequence }, key = "", headers) {
      return group === undefined
        ? { _channel: routingKey, _pattern: isGlob(key) ? key : null }
        : { _stream: routingKey, _id: `${time}-${sequence}`, headers };
    },
  };
}

function sentTo(place: string, headers: MemoryHeaders): MemoryTarget {
  return { places: [place], headers: texts(headers) };
}

function texts(headers: MemoryHeaders): Readonly<Record<string, string>> {
  const all = Object.entries(headers);
  return Object.fromEntries(all.map(([name, value]) => [name, headerText(value)]));
}
