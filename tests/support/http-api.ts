/** An API that a test writes byte by byte, and a flow that calls it. */
import { Buffer } from "node:buffer";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { isObject } from "../../src/base/json.ts";
import { ENDS, flow, FROM, inWorld, type World } from "../attributes/support.ts";

/** A request as the API got it. */
export interface Asked {
  readonly method: string;
  /** The path and the query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Which request it is, from 1. */
  readonly number: number;
  readonly socket: Socket;
}

/** Answers a request: writes to its socket, or returns what is to be written. */
export type Answer = (asked: Asked) => string | Buffer | void;

/** A server at work. */
export interface Api {
  /** `http://127.0.0.1:PORT`, or https. */
  readonly url: string;
  readonly asked: readonly Asked[];
  /** How many connections it took. */
  readonly connections: number;
  /** How many of them are open. */
  readonly open: number;
}

/** A response with its length. `fields` are more lines of its head. */
export function reply(status: number, body: unknown = "", fields: readonly string[] = []): string {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const type = typeof body === "string" ? "text/plain" : "application/json";
  const own = fields.some((line) => /^content-type:/i.test(line)) ? [] : [`content-type: ${type}`];
  return head(status, [...own, `content-length: ${Buffer.byteLength(text)}`, ...fields]) + text;
}

/** The head of a response. */
export function head(status: number, fields: readonly string[] = []): string {
  return [`HTTP/1.1 ${status} Any`, ...fields, "", ""].join("\r\n");
}

/** Serves while `look` works; what is open at the end is destroyed. `tls` is for https. */
export async function withApi<T>(
  answer: Answer,
  look: (api: Api) => Promise<T>,
  tls?: TlsOptions,
): Promise<T> {
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const serve = (socket: Socket): void => {
    connections++;
    sockets.add(socket);
    let waiting = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (chunk) => {
      waiting = Buffer.concat([waiting, Buffer.from(chunk)]);
      for (let read = readRequest(waiting); read !== undefined; read = readRequest(waiting)) {
        waiting = waiting.subarray(read.length);
        const one = { ...read.request, number: asked.length + 1, socket };
        asked.push(one);
        const text = answer(one);
        if (text !== undefined) socket.write(text);
      }
    });
  };
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
  // A client that does not trust it ends the handshake.
  server.on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await look({
      url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
      asked,
      get connections() {
        return connections;
      },
      get open() {
        return sockets.size;
      },
    });
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The first request in some bytes, if all of it has arrived. */
function readRequest(bytes: Buffer) {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers = Object.fromEntries(lines.map((line) => {
    const at = line.indexOf(":");
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()];
  }));
  const length = end + 4 + Number(headers["content-length"] ?? 0);
  if (bytes.length < length) return undefined;
  const [method, path] = first.split(" ");
  const body = bytes.subarray(end + 4, length).toString();
  return { length, request: { method, path, headers, body } };
}

/** What a flow made of a call. */
export interface Called {
  /** The result of the request; absent if it failed. */
  readonly result?: unknown;
  /** What the flow's expressions see as `error`, without its `ref`. */
  readonly error?: {
    readonly message: string;
    readonly status?: number;
    readonly body?: unknown;
  };
}

/** A connector "api" for that server. */
export function connectorTo(url: string, rest = ""): string {
  return `connector "api" {\n type = "http"\n base_url = "${url}"\n${rest}\n}\n`;
}

/** A flow that calls the API, answers with the result, and gives an error to the sink "a". */
export function calling(to: string): string {
  return flow(`${FROM}
    to {
      connector = "api"
      ${to}
    }
    response { result = "output" }
    error_handling {
      fallback {
        connector     = "a"
        include_error = true
      }
    }`);
}

/** Lets the flow of `calling` have an event. */
export async function call(world: World, data: unknown = {}): Promise<Called> {
  const before = world.deliveries.length;
  const answer = await world.emit(data);
  const sent = JSON.stringify(isObject(data) ? data : { data });
  const failed = world.deliveries.slice(before).map(({ payload }) => payload).filter(isObject)
    .find(({ error: _, ...rest }) => JSON.stringify(rest) === sent);
  if (failed === undefined) return answer as Called;
  const { message, status, body } = failed.error as NonNullable<Called["error"]>;
  return { error: { message, ...(status !== undefined && { status, body }) } };
}

/** Makes a connector and such a flow, and calls once. */
export function callOnce(
  url: string,
  { connector = "", to, data = {}, folder }: {
    readonly connector?: string;
    readonly to: string;
    readonly data?: unknown;
    /** Where relative paths begin. */
    readonly folder?: string;
  },
): Promise<Called> {
  const config = ENDS + connectorTo(url, connector) + calling(to);
  return inWorld(config, (world) => call(world, data), folder === undefined ? {} : { folder });
}

/** Waits until something is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; !isSo();) {
    if (performance.now() > end) throw new Error(`waited 5 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
