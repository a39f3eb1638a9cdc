/** A broker that takes every client and knows no topics: it refuses some of what it is asked for. */
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { keptPort } from "./ports.ts";

/** What it does. */
export interface Refusals {
  readonly protocol: 4 | 5;
  /** The answers to the filters of a subscription, in their order. */
  readonly subscriptions?: readonly number[];
  /** Its answers to clients, in their order, and the last one for all that follow; 0 by default. */
  readonly connacks?: readonly number[];
  /** Whether it closes each connection at once. */
  readonly closes?: boolean;
  /** Takes the first bytes of each connection. */
  readonly hear?: (first: Buffer, socket: Socket) => void;
  /** It speaks TLS with these. */
  readonly tls?: TlsOptions;
}

/** Starts one; `end` stops it. */
export async function refusingBroker(
  refusals: Refusals,
): Promise<{ readonly url: string; end(): void }> {
  const port = await keptPort();
  const sockets = new Set<Socket>();
  let clients = 0;
  const serve = (socket: Socket): void => {
    sockets.add(socket);
    const connack = refusals.connacks?.slice(0, ++clients).at(-1) ?? 0;
    socket.on("error", () => {});
    socket.once("data", (first: Buffer) => refusals.hear?.(first, socket));
    socket.on("data", (packet: Buffer) => {
      for (const answer of answersTo(packet, refusals, connack)) socket.write(answer);
      if (refusals.closes) socket.end();
    });
  };
  const { tls } = refusals;
  const server: Server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `mqtt://127.0.0.1:${port}`,
    end() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One packet comes at a time, and is shorter than 128 bytes where that matters. */
function answersTo(
  packet: Buffer,
  { protocol, subscriptions = [] }: Refusals,
  connack: number,
): readonly Uint8Array[] {
  const [type, , high, low] = packet;
  const properties = protocol === 5 ? [0] : [];
  if (type === 0x10) return [Buffer.from([0x20, 2 + properties.length, 0, connack, ...properties])];
  if (type === 0xc0) return [Buffer.from([0xd0, 0])];
  if (type === 0xa2) return [Buffer.from([0xb0, 2 + properties.length, high, low, ...properties])];
  if (type !== 0x82) return [];
  const body = [high, low, ...properties, ...subscriptions];
  return [Buffer.from([0x90, body.length, ...body])];
}
