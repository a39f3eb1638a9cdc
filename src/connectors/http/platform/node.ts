/** Requests by `node:http` and `node:https`. */
import { Buffer } from "node:buffer";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { Agent as SecureAgent, request as secureRequest } from "node:https";
import type { Readable } from "node:stream";
import { createBrotliDecompress, createGunzip } from "node:zlib";
import type { TlsOptions } from "../../../contract/tls-files.ts";
import { joined } from "../joined.ts";
import { type Answered, type Init, type Send, TooLarge, type Transport } from "../transport.ts";

/** An idle connection is closed after this time, in milliseconds: most servers wait longer. */
const IDLE = 4_000;

/** Makes a transport; `tls` is for https. */
export function nodeTransport(tls?: TlsOptions): Transport {
  const options = { keepAlive: true, timeout: IDLE };
  const plain = new Agent(options);
  const secure = new SecureAgent({ ...options, ...tls });
  const origins = new Map<string, Origin>();
  const send: Send = (url, init) => {
    const end = url.indexOf("/", "https://".length);
    const text = url.slice(0, end);
    let origin = origins.get(text);
    if (origin === undefined) origins.set(text, origin = originOf(text));
    const { isSecure, host, port } = origin;
    const { body, method } = init;
    const headers = {
      ...init.headers,
      "accept-encoding": "gzip, br",
      ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
    };
    const sent = (isSecure ? secureRequest : request)({
      ...{ host, port, method, headers },
      path: url.slice(end),
      agent: isSecure ? secure : plain,
    });
    if (IS_DENO) Object.defineProperty(sent, "reusedSocket", NEVER_REUSED);
    return answerOf(sent, init);
  };
  return {
    send,
    sendOnce: send,
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** Where requests go. */
interface Origin {
  readonly isSecure: boolean;
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: string;
}

function originOf(text: string): Origin {
  const { protocol, hostname, port } = new URL(text);
  const isSecure = protocol === "https:";
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return { isSecure, host, port: port === "" ? isSecure ? "443" : "80" : port };
}

const IS_DENO = "Deno" in globalThis;

/**
 * Deno sends a request once more by itself, even a POST, where a kept connection is lost. It knows
 * such a connection by this property, which its agent sets; Node only tells programs so.
 */
const NEVER_REUSED = { get: () => false, set: () => undefined };

function answerOf(sent: ClientRequest, { body, limit, method, stop }: Init): Promise<Answered> {
  return new Promise((resolve, reject) => {
    let fail = reject;
    let isComplete = () => false;
    // What comes behind a complete response is the server's mistake, and nobody's loss.
    const lost = (error: Error) => isComplete() || fail(error);
    const onStop = (reason: Error) => {
      fail(reason);
      sent.destroy();
    };
    sent.on("error", lost);
    if (stop.reason !== undefined) return onStop(stop.reason);
    stop.onStop = onStop;
    sent.on("upgrade", (_, socket) => {
      socket.destroy();
      reject(new Error("InvalidHTTPResponse: it upgrades the connection"));
    });
    // The listeners are added at once: a stream that waits for them costs twice as much.
    sent.on("response", (message) => {
      fail = (error) => resolve(new NodeAnswer(message, EMPTY, error));
      isComplete = () => message.complete;
      const tooLarge = () => onStop(new TooLarge());
      message.on("error", lost);
      message.on("close", () => lost(new Error("ECONNRESET: the response has no end")));
      const { headers } = message;
      const stream = decoded(message, headers["content-encoding"], (error) => fail(error));
      const isPlain = stream === message;
      if (isPlain && method !== "HEAD" && Number(headers["content-length"] ?? 0) > limit) {
        return tooLarge();
      }
      const chunks: Uint8Array[] = [];
      let length = 0;
      stream.on("data", (chunk: Uint8Array) => {
        length += chunk.length;
        if (length > limit) tooLarge();
        else chunks.push(chunk);
      });
      stream.on("end", () => resolve(new NodeAnswer(message, joined(chunks, length))));
    });
    sent.end(body);
  });
}

const EMPTY = new Uint8Array();

class NodeAnswer implements Answered {
  readonly status: number;
  readonly body: Uint8Array;
  readonly failure: Error | undefined;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage, body: Uint8Array, failure?: Error) {
    this.status = message.statusCode ?? 0;
    this.body = body;
    this.failure = failure;
    this.#message = message;
  }

  header(name: string): string | null {
    const value = this.#message.headers[name];
    return value === undefined ? null : String(value);
  }

  headers(): Readonly<Record<string, unknown>> {
    return { ...this.#message.headers };
  }
}

/** The body without its compression, which `content-encoding` names. */
function decoded(
  message: IncomingMessage,
  header: string | undefined,
  fail: (error: Error) => void,
): Readable {
  const encoding = header?.trim().toLowerCase();
  const decoder = encoding === "br"
    ? createBrotliDecompress()
    : encoding === "gzip" || encoding === "x-gzip"
    ? createGunzip()
    : undefined;
  if (decoder === undefined) return message;
  decoder.on("error", fail);
  return message.pipe(decoder);
}
