/** Requests by the `fetch` of the runtime. */
import type { TlsOptions } from "../../contract/tls-files.ts";
import { joined } from "./joined.ts";
import { type Answered, type Send, TooLarge, type Transport } from "./transport.ts";

/** TLS 1.2, as TLS itself writes it. */
const TLS_1_2 = 0x0303;

/** Makes a transport. `tls` has Bun's names; no other runtime reads it. */
export function fetchTransport(tls?: TlsOptions): Transport {
  const { servername: serverName, ...others } = tls ?? {};
  const more = tls === undefined ? {} : {
    tls: { ...others, minVersion: TLS_1_2, ...(serverName !== undefined && { serverName }) },
  };
  const send: Send = async (url, { method, headers, body, limit, stop }) => {
    if (stop.reason !== undefined) throw stop.reason;
    const controller = new AbortController();
    stop.onStop = (reason) => controller.abort(reason);
    const { signal } = controller;
    const init = { method, headers, body, signal, redirect: "manual", ...more } as const;
    const response = await fetch(url, init);
    try {
      const declared = response.headers.get("content-length");
      const isPlain = response.headers.get("content-encoding") === null;
      if (declared === null || !isPlain || method === "HEAD") {
        return new FetchAnswer(response, await collect(response, method, limit));
      }
      // No runtime reads further than what is declared.
      if (Number(declared) > limit) throw new TooLarge();
      return new FetchAnswer(response, await response.bytes());
    } catch (error) {
      if (error instanceof TooLarge) controller.abort(error);
      return new FetchAnswer(response, EMPTY, error as Error);
    }
  };
  return { send, sendOnce: send, close: () => undefined };
}

const EMPTY = new Uint8Array();

class FetchAnswer implements Answered {
  readonly status: number;
  readonly body: Uint8Array;
  readonly failure: Error | undefined;
  readonly #headers: Headers;

  constructor({ status, headers }: Response, body: Uint8Array, failure?: Error) {
    this.status = status;
    this.body = body;
    this.failure = failure;
    this.#headers = headers;
  }

  header(name: string): string | null {
    return this.#headers.get(name);
  }

  headers(): Readonly<Record<string, unknown>> {
    const all: Record<string, unknown> = Object.fromEntries(this.#headers);
    const cookies = this.#headers.getSetCookie();
    return cookies.length === 0 ? all : { ...all, "set-cookie": cookies };
  }
}

/** Reads a body whose length is not known before. */
async function collect({ body }: Response, method: string, limit: number): Promise<Uint8Array> {
  if (body === null) return EMPTY;
  if (method === "HEAD") {
    await body.cancel();
    return EMPTY;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, length);
    length += value.length;
    if (length > limit) throw new TooLarge();
    chunks.push(value);
  }
}
