/** Where a broker is and who asks. */
import type { ConnectionOptions } from "rabbitmq-client";
import type { MqOptions } from "../../options.ts";

/** What the client library wants to know. */
export type Address =
  & Required<Pick<ConnectionOptions, "hostname" | "port" | "username" | "password" | "vhost">>
  & { readonly tls: boolean };

/** Takes the URL apart, which the checks of the configuration have found good. */
export function addressOf(options: MqOptions): Address {
  if (options.url !== undefined) return fromUrl(new URL(options.url));
  const { host = "localhost", username = "guest", password = "guest", vhost = "/" } = options;
  const { tls = false } = options;
  return { hostname: host, port: options.port ?? defaultPort(tls), username, password, vhost, tls };
}

/** The address for logs: without the password, which nobody may read there. */
export function describeAddress({ hostname, port, vhost }: Address): string {
  return `${hostname}:${port}${vhost === "/" ? "" : ` (vhost ${vhost})`}`;
}

function fromUrl(url: URL): Address {
  const tls = url.protocol === "amqps:";
  return {
    // An IPv6 address stands in brackets in a URL, but nowhere else.
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? defaultPort(tls) : url.port,
    username: decodeURIComponent(url.username) || "guest",
    password: decodeURIComponent(url.password) || "guest",
    vhost: decodeURIComponent(url.pathname.slice(1)) || "/",
    tls,
  };
}

function defaultPort(tls: boolean): number {
  return tls ? 5671 : 5672;
}
