/** Where a broker is, and the streams to it: TCP, TLS, or WebSocket with either. */
import { connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import WebSocket, { type ClientOptions, createWebSocketStream } from "ws";
import { readTls, type TlsOptions, tlsOptions } from "../../../contract/tls-files.ts";
import { type Endpoint, endpointOf, type MqttOptions } from "../options.ts";

/** Milliseconds after which a connection or an answer is given up. */
export const PATIENCE = 5000;

/** A broker's address. */
export interface Address {
  /** For logs: no user and no password. */
  readonly where: string;
  /** What should be there, such as `MQTT broker with TLS`. */
  readonly kind: string;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Opens a stream, which reports a failure by its events. */
  open(): Duplex;
}

/**
 * The address that a configuration names; its checks have passed. `fail` throws the error for a file
 * that is missing or wrong.
 */
export async function findAddress(
  options: Pick<MqttOptions, "url" | "tls" | "username" | "password">,
  fail: (message: string) => never,
): Promise<Address> {
  const url = new URL(options.url);
  const endpoint = endpointOf(options);
  const { host, port, secure, webSocket } = endpoint;
  const username = options.username ?? textOf(url.username);
  const password = options.password ?? textOf(url.password);
  const material = options.tls && await readTls(options.tls, fail);
  const tls = material === undefined
    ? { rejectUnauthorized: true, minVersion: "TLSv1.2" } as const
    : tlsOptions(material);
  // A certificate is asked for by name, which an address is not.
  const named = isIP(host) === 0 ? { servername: host, ...tls } : tls;
  const open = (): Duplex => {
    if (webSocket) return openWebSocket(endpoint, secure ? named : {});
    if (secure) return connectTls({ host, port, ...named }).setNoDelay(true);
    return connect({ host, port, noDelay: true });
  };
  const kind = `MQTT broker ${secure ? "with" : "without"} TLS${webSocket ? " by WebSocket" : ""}`;
  return { where: `${host}:${port}`, kind, username, password, open };
}

function openWebSocket(
  { host, port, secure, path }: Endpoint,
  tls: Partial<TlsOptions>,
): Duplex {
  const name = isIP(host) === 6 ? `[${host}]` : host;
  const { minVersion: _, ...asBun } = tls;
  const options: ClientOptions & { readonly tls: object } = {
    ...tls,
    handshakeTimeout: PATIENCE,
    perMessageDeflate: false,
    // Where Bun looks for them; it takes nothing below 1.2 anyway.
    tls: asBun,
  };
  const url = `${secure ? "wss" : "ws"}://${name}:${port}${path}`;
  const socket = new WebSocket(url, ["mqtt"], options);
  const stream = createWebSocketStream(socket);
  socket.on("close", () => stream.destroy());
  return stream;
}

function textOf(part: string): string | undefined {
  return part === "" ? undefined : decodeURIComponent(part);
}
