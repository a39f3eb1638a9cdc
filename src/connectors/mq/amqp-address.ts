/** Where a broker that speaks AMQP is: how the URL and its parts are checked and read. */
import { isDecodable } from "../../base/text.ts";
import type { CodedProblem } from "../../contract/definition.ts";
import { type ClientTls, NO_FILES } from "../../contract/tls-field.ts";
import type { MqOptions } from "./options.ts";

/** A node of the broker. */
export interface Host {
  readonly hostname: string;
  readonly port: number;
}

/** Where a broker is, and who connects to it. */
export interface Address {
  /** Its nodes; one, unless it is a cluster. */
  readonly hosts: readonly Host[];
  readonly username: string;
  readonly password: string;
  readonly vhost: string;
  /** Undefined without TLS. */
  readonly tls: ClientTls | undefined;
}

const EXAMPLE = "such as amqp://user:password@host:5672/vhost";

/** What a URL says in place of these attributes. */
const PARTS = ["host", "port", "username", "password", "vhost"] as const;

/** Checks the URLs of a `connector` block, and what is written beside them. */
export function checkAddress(options: MqOptions): readonly CodedProblem[] {
  const { url: urls = [], tls } = options;
  if (urls.length === 0) return [];
  const wrong = urls.map(urlProblem).find((problem) => problem !== undefined);
  if (wrong !== undefined) return [{ code: "invalid-url", attribute: "url", ...wrong }];
  const differs = differenceOf(urls);
  if (differs !== undefined) {
    return [{
      code: "invalid-url",
      attribute: "url",
      message: `has urls with another ${differs}`,
      hint: "they name the nodes of one cluster, which all else is the same for",
    }];
  }
  const problems: CodedProblem[] = PARTS.filter((name) => options[name] !== undefined)
    .map((name) => ({
      code: "conflicting-attributes",
      attribute: name,
      message: `has a url and a ${name}`,
      hint: `leave it out: the url has all parts: ${EXAMPLE}`,
    }));
  if (tls !== undefined && new URL(urls[0]).protocol === "amqp:") {
    problems.push({
      code: "conflicting-attributes",
      attribute: "tls",
      message: "has tls, and a url without it",
      hint: "a url with TLS begins with amqps://",
    });
  }
  return problems;
}

/** What is wrong with a URL; it is not shown, since it may have a password. */
function urlProblem(text: string): Pick<CodedProblem, "message" | "hint"> | undefined {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !/^amqps?:$/.test(parsed.protocol) || parsed.hostname === "") {
    return { message: "has a url that is not an amqp:// or amqps:// URL", hint: EXAMPLE };
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    return { message: "has a url with parameters, which it does not take", hint: EXAMPLE };
  }
  const parts = { username: parsed.username, password: parsed.password, vhost: parsed.pathname };
  const undecodable = Object.entries(parts).find(([, text]) => !isDecodable(text));
  if (undecodable === undefined) return undefined;
  return {
    message: `has a url with a "%" in its ${undecodable[0]} that encodes no character`,
    hint: "write %25 for a percent sign",
  };
}

/** What the URLs of a cluster differ in, beside their hosts. */
function differenceOf(urls: readonly string[]): string | undefined {
  const [first, ...others] = urls.map(readUrl);
  for (const other of others) {
    for (const name of ["username", "password", "vhost"] as const) {
      if (other[name] !== first[name]) return name;
    }
    if ((other.tls === undefined) !== (first.tls === undefined)) return "protocol";
  }
  return undefined;
}

/** The address that a configuration names; its checks have passed. */
export function addressOf(options: MqOptions): Address {
  const { url: urls = [], tls } = options;
  if (urls.length > 0) {
    const [first, ...others] = urls.map(readUrl);
    const hosts = [first, ...others].flatMap((one) => one.hosts);
    return { ...first, hosts, tls: first.tls && (tls ?? first.tls) };
  }
  const { host = "localhost", username = "guest", password = "guest", vhost = "/" } = options;
  const hosts = [{ hostname: host, port: options.port ?? defaultPort(tls !== undefined) }];
  return { hosts, username, password, vhost, tls };
}

function readUrl(text: string): Address {
  const url = new URL(text);
  const tls = url.protocol === "amqps:";
  return {
    hosts: [{
      // An IPv6 address has brackets in a URL, but nowhere else.
      hostname: url.hostname.replace(/^\[|\]$/g, ""),
      port: url.port === "" ? defaultPort(tls) : Number(url.port),
    }],
    username: decodeURIComponent(url.username) || "guest",
    password: decodeURIComponent(url.password) || "guest",
    vhost: decodeURIComponent(url.pathname.slice(1)) || "/",
    tls: tls ? NO_FILES : undefined,
  };
}

function defaultPort(tls: boolean): number {
  return tls ? 5671 : 5672;
}

/** The address for logs, without the password. */
export function describeAddress({ hosts, vhost }: Address): string {
  const where = hosts.map(({ hostname, port }) => `${hostname}:${port}`).join(", ");
  return `${where}${vhost === "/" ? "" : ` (vhost ${vhost})`}`;
}

/**
 * The nodes of the broker and its virtual host as one text. Connectors that have the same share
 * exchanges and queues.
 */
export function addressKey(options: MqOptions): string {
  // A configuration with problems is asked as well.
  const readable = options.url?.every((url) => urlProblem(url) === undefined) ?? true;
  const { hosts, vhost } = addressOf(readable ? options : { ...options, url: undefined });
  const names = hosts.map(({ hostname, port }) => `${hostname}:${port}`).sort();
  return JSON.stringify([...new Set(names), vhost]);
}
