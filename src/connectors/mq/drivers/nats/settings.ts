/** What a connector of NATS is told, with every default filled in. */
import type { ClientTls } from "../../../../contract/tls-field.ts";
import type { ConsumerSettings } from "../../../../messaging/mod.ts";
import { type MqOptions, redeliveryOf } from "../../options.ts";

/** How the connector shows who it is. */
export type Login =
  | { readonly kind: "user"; readonly user: string; readonly password: string }
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "nkey"; readonly seed: string }
  | { readonly kind: "creds"; readonly path: string };

/** A stream of JetStream. What is undefined stays as it is, or is the server's default. */
export interface StreamSettings {
  readonly name: string;
  readonly subjects: readonly string[] | undefined;
  /** Milliseconds. */
  readonly maxAge: number | undefined;
  readonly maxBytes: number | undefined;
  readonly replicas: number | undefined;
}

/** All of it. */
export interface NatsSettings {
  /** The servers of one cluster, each as `host:port`. */
  readonly servers: readonly string[];
  readonly tls: ClientTls | undefined;
  /** Undefined: the server must not ask. */
  readonly login: Login | undefined;
  readonly stream: StreamSettings | undefined;
  /** The queue group; with a stream its durable consumer. */
  readonly queue: string | undefined;
  readonly consumer: Omit<ConsumerSettings, "deadLetters">;
  /** Undefined: a message that fails for good is discarded. */
  readonly deadLetters: DeadLetterSettings | undefined;
}

/** Where messages go that failed for good. */
export interface DeadLetterSettings {
  readonly subject: string;
  /** The stream that is made where no other one takes the subject. */
  readonly stream: string;
}

/** Fills in the defaults. The checks of the options have passed. */
export function settle(options: MqOptions): NatsSettings {
  const { stream, queue, consumer, host = "localhost", port = DEFAULT_PORT } = options;
  const urls = (options.url ?? []).map(readUrl).filter((url) => url !== undefined);
  const secure = urls.some(({ tls }) => tls);
  const name = queue?.name;
  return {
    servers: urls.length === 0 ? [hostPort(host, port)] : urls.map(({ server }) => server),
    tls: options.tls ?? (secure ? NO_FILES : undefined),
    login: loginOf(options) ?? urls.find(({ login }) => login !== undefined)?.login,
    stream: stream && {
      name: stream.name,
      subjects: stream.subjects,
      maxAge: stream.max_age,
      maxBytes: stream.max_bytes,
      replicas: stream.replicas,
    },
    queue: name,
    consumer: redeliveryOf(options),
    deadLetters: consumer?.dlq && name !== undefined
      ? {
        subject: consumer.dlq.subject ?? `${name}.dlq`,
        stream: `${withoutForbidden(stream?.name ?? name)}_DLQ`,
      }
      : undefined,
  };
}

const DEFAULT_PORT = 4222;

const NO_FILES: ClientTls = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  server_name: undefined,
};

/** What the name of a stream or consumer must not have. */
const FORBIDDEN = /[\s.*>/\\\p{Cc}]/gu;

/** Whether a text can be the name of a stream or of a durable consumer. */
export function isName(text: string): boolean {
  return text !== "" && withoutForbidden(text) === text;
}

function withoutForbidden(text: string): string {
  return text.replace(FORBIDDEN, "_");
}

function loginOf({ user, password, token, nkey, creds }: MqOptions): Login | undefined {
  if (user !== undefined) return { kind: "user", user, password: password ?? "" };
  if (token !== undefined) return { kind: "token", token };
  if (nkey !== undefined) return { kind: "nkey", seed: nkey };
  return creds === undefined ? undefined : { kind: "creds", path: creds };
}

/** The parts of a url. */
export interface NatsUrl {
  /** As `host:port`. */
  readonly server: string;
  readonly tls: boolean;
  readonly login: Login | undefined;
}

/** Takes a url apart; undefined where it has another form. */
export function readUrl(text: string): NatsUrl | undefined {
  const url = URL.parse(text);
  if (url === null || !/^(?:nats|tls):$/.test(url.protocol) || url.hostname === "") {
    return undefined;
  }
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") return undefined;
  let user: string;
  let password: string;
  try {
    [user, password] = [url.username, url.password].map(decodeURIComponent);
  } catch {
    return undefined;
  }
  const port = url.port === "" ? DEFAULT_PORT : Number(url.port);
  return {
    server: `${url.hostname}:${port}`,
    tls: url.protocol === "tls:",
    login: user === "" && password === ""
      ? undefined
      : password === ""
      ? { kind: "token", token: user }
      : { kind: "user", user, password },
  };
}

/** An IPv6 address gets brackets. */
function hostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The servers, in an order of their own. Connectors with the same address share subjects. */
export function addressOf(options: MqOptions): string {
  return [...settle(options).servers].sort().join(", ");
}
