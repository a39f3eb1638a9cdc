/** Requests that are written byte by byte, so that every header is that of the test. */
import { connect, type Socket } from "node:net";

/** An answer. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request. Without other headers it asks `localhost` and the port, and ends the connection. */
export interface RawRequest {
  /** The address of this machine; 127.0.0.1 by default. */
  readonly address?: string;
  /** GET by default. */
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request; resolves when the server has closed the connection. */
export async function rawRequest(port: number, request: RawRequest = {}): Promise<RawAnswer> {
  const { address, method = "GET", path = "/", body = "" } = request;
  const length = body === "" ? {} : { "content-length": String(body.length) };
  const own = { host: `localhost:${port}`, connection: "close", ...length };
  const headers = { ...own, ...request.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const text = [`${method} ${path} HTTP/1.1`, ...lines, "", body].join("\r\n");
  return parseAnswer(await sendText(port, text, address));
}

/** Sends text; gives what came until the server has closed the connection. */
export function sendText(port: number, text: string, address = "127.0.0.1"): Promise<string> {
  const socket = connect(port, address);
  socket.setEncoding("utf8");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let received = "";
  socket.on("data", (part) => received += part);
  socket.on("error", reject);
  socket.on("close", () => resolve(received));
  socket.on("connect", () => void socket.write(text));
  return promise;
}

/** Opens a connection that says nothing. */
export function openSilent(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => resolve(socket));
  });
}

function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf("\r\n\r\n");
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(headers),
    body: text.slice(end + 4),
  };
}
