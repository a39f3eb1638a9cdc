/** The `trust_proxy` attribute: whose word about the address of a client is taken. */
import ipaddr from "ipaddr.js";
import * as v from "valibot";
import type { Logger } from "../contract/connector.ts";
import type { ListenerDemands } from "../contract/definition.ts";
import { attribute, type Field } from "../contract/fields.ts";
import { type ValueSchema, valueSchema } from "../contract/value-schema.ts";
import type { HandshakeRequest } from "../transport/socket.ts";
import { type Address, isWithin, type Network, parseAddress, parsePeer } from "./addresses.ts";
import { clientOf, nodesOfForwarded, nodesOfList } from "./forwarded.ts";

const FORM = "must be a list of networks";
const EXAMPLES = 'such as "10.0.0.0/8" or "::1"';

/** One network, and its text in the only form that it has. */
export interface TrustedNetwork extends Network {
  readonly text: string;
}

/** The `trust_proxy` attribute of a connector. */
export const trustProxyField: Field<readonly TrustedNetwork[] | undefined> = attribute(
  networkList(),
  {
    about: "The networks of your proxies, such as `10.0.0.0/8`. Of a request from there, " +
      "`client.remote_addr` is what `X-Forwarded-For` or `Forwarded` says. Connectors on one " +
      "port need the same list.",
  },
);

/** What a connector with these options asks of its port: all on it must trust the same proxies. */
export function demandsOf(
  { host, port, trust_proxy = [] }: {
    readonly host: string;
    readonly port: number;
    readonly trust_proxy: readonly TrustedNetwork[] | undefined;
  },
): ListenerDemands {
  return { address: `${host}:${port}`, trustedProxies: trust_proxy.map(({ text }) => text) };
}

/** The address of clients behind the proxies of one connector. */
export class TrustedProxies {
  readonly #networks: readonly Network[];
  readonly #logger: Logger;
  #told = false;

  /** Logs the first request whose headers contradict each other. */
  constructor(networks: readonly Network[], logger: Logger) {
    this.#networks = networks;
    this.#logger = logger;
  }

  /**
   * The address of the client that sent a request with these headers through `peer`, which is null
   * where the runtime does not tell it. The names of the headers are in lower case.
   */
  clientAddress(peer: string | null, headers: Readonly<Record<string, string>>): string | null {
    const known = peer === null ? undefined : parsePeer(peer);
    if (known === undefined) return peer;
    return (isWithin(known, this.#networks) ? this.#believe(known, headers) : known).toString();
  }

  /** A handshake whose address is that of the client. It is looked up on demand. */
  handshake(request: HandshakeRequest): HandshakeRequest {
    return new ForwardedHandshake(request, this);
  }

  #believe(peer: Address, headers: Readonly<Record<string, string>>): Address {
    const { "x-forwarded-for": list, forwarded } = headers;
    const found = [
      ...(list === undefined ? [] : [clientOf(peer, nodesOfList(list), this.#networks)]),
      ...(forwarded === undefined
        ? []
        : [clientOf(peer, nodesOfForwarded(forwarded), this.#networks)]),
    ];
    const [client = peer, other = client] = found;
    if (client.toString() === other.toString()) return client;
    // A proxy that sets one of them may pass the other one on as the client sent it.
    if (!this.#told) {
      this.#told = true;
      this.#logger.warn(
        "X-Forwarded-For and Forwarded of a request through {peer} name two clients, so that " +
          "neither is believed; let the proxy remove the one that it does not set",
        { peer: peer.toString() },
      );
    }
    return peer;
  }
}

/** A handshake that came through a proxy. */
class ForwardedHandshake implements HandshakeRequest {
  readonly method: string;
  readonly hasQuery: boolean;
  readonly headers: Readonly<Record<string, string>>;
  readonly #request: HandshakeRequest;
  readonly #proxies: TrustedProxies;

  constructor(request: HandshakeRequest, proxies: TrustedProxies) {
    this.method = request.method;
    this.hasQuery = request.hasQuery !== false;
    this.headers = request.headers;
    this.#request = request;
    this.#proxies = proxies;
  }

  get url(): URL {
    return this.#request.url;
  }

  get remoteAddress(): string | null {
    return this.#proxies.clientAddress(this.#request.remoteAddress, this.headers);
  }
}

/** A list such as `["10.0.0.0/8", "::1"]`. */
function networkList(): ValueSchema<readonly TrustedNetwork[]> {
  return valueSchema(
    "list of networks",
    v.pipe(
      v.array(v.string(`${FORM}\n${EXAMPLES}`), `${FORM}\n${EXAMPLES}`),
      v.minLength(1, `${FORM} with at least one\n${EXAMPLES}`),
      v.rawTransform<string[], readonly TrustedNetwork[]>(
        ({ dataset: { value }, addIssue, NEVER }) => {
          const networks: TrustedNetwork[] = [];
          for (const written of value) {
            const found = readNetwork(written);
            if (typeof found === "string") {
              addIssue({ message: `has ${JSON.stringify(written)}, ${found}` });
              return NEVER;
            }
            networks.push(found);
          }
          return networks;
        },
      ),
    ),
  );
}

/** Reads a network, or says what is wrong with it; a second line is the hint. */
function readNetwork(written: string): TrustedNetwork | string {
  const [, base, length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(written) ?? [];
  const first = base === undefined ? undefined : parseAddress(base);
  if (first === undefined) return `which is not a network\n${EXAMPLES}`;
  const all = first.kind() === "ipv4" ? 32 : 128;
  const bits = length === undefined ? all : Number(length);
  if (base.includes(":") && all === 32) {
    const suffix = bits === 128 || bits <= 96 ? "" : `/${bits - 96}`;
    return `which is IPv4 in the form of IPv6\nwrite it as "${first}${suffix}"`;
  }
  if (bits > all) return `which has more than ${all} bits\n${EXAMPLES}`;
  if (bits === 0) return "which is everybody\nany client could then choose its address";
  const kind = all === 32 ? ipaddr.IPv4 : ipaddr.IPv6;
  const network = kind.networkAddressFromCIDR(`${first}/${bits}`).toString();
  const text = `${network}/${bits}`;
  if (network !== first.toString()) {
    return `which has bits beyond its first ${bits}\ndid you mean "${text}"?`;
  }
  return { first, bits, text };
}
