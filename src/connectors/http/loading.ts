/** Loads the transports of a connector: which one, the platform decides. */
import type { ClientTls } from "../../contract/tls-field.ts";
import type { TlsOptions } from "../../contract/tls-files.ts";
import { fetchTransport } from "./fetching.ts";
import type { Transport } from "./transport.ts";

/** What a connector sends with. */
export interface Transports {
  /** For the API. */
  readonly api: Transport;
  /** For the host that issues tokens. */
  readonly tokens: Transport;
}

/** Makes a transport; `tls` is for https. */
type Make = (tls?: TlsOptions) => Transport;

/** Loads what a connector needs. `fail` throws the error for a file of `tls` that cannot be used. */
export async function loadTransports(
  { base_url, tls, auth }: {
    readonly base_url: string;
    readonly tls: ClientTls | undefined;
    readonly auth: { readonly oauth2?: { readonly token_url: string } | undefined } | undefined;
  },
  fail: (message: string) => never,
): Promise<Transports> {
  const make = await loadTransport();
  if (tls === undefined) {
    const api = make();
    return { api, tokens: api };
  }
  const { apiOptions, tokenOptions } = await import("./platform/tls.ts");
  const tokenUrl = auth?.oauth2?.token_url ?? base_url;
  const isSame = new URL(tokenUrl).origin === new URL(base_url).origin;
  const options = await apiOptions(tls, fail);
  const api = make(options);
  return { api, tokens: isSame ? api : make(tokenOptions(options)) };
}

/**
 * `fetch` on Bun. On Node `node:http`, which costs less there, and takes the certificates and the name
 * of a `tls` block, for which `fetch` needs a package. On Deno `fetch`, which costs less there, but
 * `node:http` for `tls`, since `fetch` takes no name, and for what is sent once: `fetch` sends a POST
 * again where a kept connection is lost, although the API may have acted on it.
 */
async function loadTransport(): Promise<Make> {
  if ("Bun" in globalThis) return fetchTransport;
  const { nodeTransport } = await import("./platform/node.ts");
  if (!("Deno" in globalThis)) return nodeTransport;
  return (tls) => {
    const node = nodeTransport(tls);
    return tls === undefined ? { ...node, send: fetchTransport().send } : node;
  };
}
