/** What a connection to Redis is told, with every default filled in, and where the server is. */
import { isDecodable } from "../../../../base/text.ts";
import type { ClientTls } from "../../../../contract/tls-field.ts";
import type { ConsumerSettings } from "../../../../messaging/mod.ts";
import { type MqOptions, redeliveryOf } from "../../options.ts";

/** How many bytes the name of a channel or stream has at most. Redis itself takes far more. */
export const LONGEST_NAME = 512;

/** How messages are published: to a channel, which keeps nothing, or to a stream. */
export type Mode = "channel" | "stream";

/** The settings of one connector. */
export interface Settings extends Pick<ConsumerSettings, "prefetch"> {
  /** The consumer group; undefined where operations are channels. */
  readonly group: string | undefined;
  /** The stream of dead letters; undefined where what fails for good is discarded. */
  readonly deadLetters: string | undefined;
  /** Milliseconds after which what a dead consumer had in hand is claimed. */
  readonly claimAfter: number;
  readonly mode: Mode;
  /** How many entries a stream has after a publish, about. */
  readonly maxLength: number;
}

/** Fills in the defaults. */
export function settle(options: MqOptions): Settings {
  const group = options.queue?.name;
  const deadLetters = options.consumer?.dlq;
  return {
    prefetch: redeliveryOf(options).prefetch,
    group,
    deadLetters: deadLetters && (deadLetters.stream ?? `${group}.dlq`),
    claimAfter: options.consumer?.claim_after ?? 30_000,
    mode: modeOf(options),
    maxLength: options.publisher?.max_length ?? 100_000,
  };
}

/** How a connector publishes: to streams where it reads streams, unless it says otherwise. */
export function modeOf({ publisher, queue }: MqOptions): Mode {
  return publisher?.mode ?? (queue === undefined ? "channel" : "stream");
}

/** Where one server or Sentinel is, and who connects. */
export interface Node {
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Where the server is, or who knows it. */
export interface Address extends Pick<Node, "username" | "password"> {
  /** The server; where `sentinel` is defined, those that know it. */
  readonly nodes: readonly Node[];
  /** What the Sentinels call the server. */
  readonly sentinel: string | undefined;
  readonly database: number;
  /** Undefined without TLS. */
  readonly tls: ClientTls | undefined;
}

/** The address that a configuration names; its checks have passed. */
export function addressOf(options: MqOptions): Address {
  const { url: urls, host = "localhost", port = 6379, username, password, sentinel } = options;
  if (urls === undefined) {
    const node = { host, port, username, password };
    const { tls } = options;
    return { nodes: [node], sentinel: undefined, username, password, database: 0, tls };
  }
  const parsed = urls.map((url) => new URL(url));
  const nodes = parsed.map((url) => nodeOf(url, sentinel === undefined ? 6379 : 26_379));
  const [first] = parsed;
  // The parts of a URL are those of what it names: with Sentinels, the server has its own.
  const own = sentinel === undefined ? nodes[0] : { username, password };
  return {
    nodes,
    sentinel,
    username: own.username,
    password: own.password,
    database: Number(first.pathname.slice(1)),
    tls: first.protocol === "rediss:" ? options.tls ?? NO_FILES : undefined,
  };
}

const NO_FILES: ClientTls = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  server_name: undefined,
};

function nodeOf({ hostname, port, username, password }: URL, defaultPort: number): Node {
  return {
    // An IPv6 address has brackets in a URL, but nowhere else.
    host: hostname.replace(/^\[|\]$/g, ""),
    port: port === "" ? defaultPort : Number(port),
    username: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
  };
}

/** The address for logs, without users and passwords. */
export function describeAddress({ nodes, sentinel, database }: Address): string {
  const places = nodes.map(describeNode).join(", ");
  const place = sentinel === undefined ? places : `"${sentinel}" of Sentinel ${places}`;
  return database === 0 ? place : `${place} (database ${database})`;
}

/** One of them for logs. */
export function describeNode({ host, port }: Pick<Node, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The server as a text, and the database: connectors with the same ones share channels and streams. */
export function serverOf(
  options: MqOptions,
): { readonly server: string; readonly database: number } {
  // Where a url is bad, its own problem says so.
  const isBad = options.url?.some((url) => !URL.canParse(url) || !isDecodable(url)) ?? false;
  if (isBad) return { server: String(options.url), database: 0 };
  const { nodes, sentinel, database } = addressOf(options);
  return { server: sentinel ?? nodes.map(describeNode).join(), database };
}
