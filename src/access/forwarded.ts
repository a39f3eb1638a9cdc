/** The headers in which proxies name the client: `X-Forwarded-For` and `Forwarded` (RFC 7239). */
import { type Address, isWithin, type Network, parseAddress } from "./addresses.ts";

/** The longest text of a node, in characters: an address in brackets, and a port or its name. */
const LONGEST_NODE = 128;

/** An address and a port: `1.2.3.4`, `1.2.3.4:80`, `[::1]`, `[::1]:80`. */
const NODE = /^(?:\[([^[\]]*)\]|([\d.]+))(?::(?:\d{1,5}|_[\w.-]+))?$/;

/** One pair of an element, such as `for=1.2.3.4` or `for="[::1]"`, and what ends it. */
const PAIR =
  /[ \t]*(?:([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))[ \t]*)?(;|$)/y;

/** The texts of the proxies, the last one first; undefined for one that cannot be read. */
type Nodes = Iterable<string | undefined>;

/** The nodes of `X-Forwarded-For`. */
export function* nodesOfList(header: string): Nodes {
  let end = header.length;
  while (end >= 0) {
    const comma = end === 0 ? -1 : header.lastIndexOf(",", end - 1);
    yield header.slice(comma + 1, end).trim();
    end = comma;
  }
}

/**
 * The nodes of `Forwarded`. It is read from its end, since a client may have written its beginning:
 * a quote that it leaves open then hides nothing of what the proxies have added.
 */
export function* nodesOfForwarded(header: string): Nodes {
  let end = header.length;
  let quoted = false;
  for (let i = header.length - 1; i >= 0; i--) {
    const char = header[i];
    if (char === '"' && !isEscaped(header, i)) quoted = !quoted;
    if (char !== "," || quoted) continue;
    yield nodeOf(header.slice(i + 1, end));
    end = i;
  }
  yield nodeOf(header.slice(0, end));
}

/**
 * The address of the client behind proxies: the last one of `nodes` that is not within `trusted`.
 * What cannot be read ends the search at the address before it. `peer` is within `trusted`.
 */
export function clientOf(peer: Address, nodes: Nodes, trusted: readonly Network[]): Address {
  let known = peer;
  for (const node of nodes) {
    const address = node === undefined ? undefined : addressOf(node);
    if (address === undefined) break;
    known = address;
    if (!isWithin(address, trusted)) break;
  }
  return known;
}

/** The address of a node; undefined for `unknown`, a made-up name and anything else. */
function addressOf(node: string): Address | undefined {
  if (node.length > LONGEST_NODE) return undefined;
  const [, bracketed, plain] = NODE.exec(node) ?? [];
  // Only an IPv6 address has brackets, and it needs none without a port.
  if (bracketed !== undefined && !bracketed.includes(":")) return undefined;
  return parseAddress(bracketed ?? plain ?? node);
}

/** The value of the only `for` in an element; undefined if it has none or is not well-formed. */
function nodeOf(element: string): string | undefined {
  let node: string | undefined;
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < element.length) {
    const pair = PAIR.exec(element);
    if (pair === null) return undefined;
    const [, name, quoted, plain] = pair;
    if (name?.toLowerCase() !== "for") continue;
    if (node !== undefined) return undefined;
    node = quoted?.replace(/\\(.)/g, "$1") ?? plain;
  }
  return node;
}

/** Whether the quote at `index` has an odd number of backslashes in front of it. */
function isEscaped(text: string, index: number): boolean {
  let start = index;
  while (text[start - 1] === "\\") start--;
  return (index - start) % 2 === 1;
}
