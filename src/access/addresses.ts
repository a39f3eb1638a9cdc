/** Addresses of the internet, and networks of them. */
import ipaddr from "ipaddr.js";

/** An IPv4 or IPv6 address. One of IPv4 that is mapped into IPv6 is one of IPv4. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses. */
export interface Network {
  readonly first: Address;
  /** The number of bits that all addresses of the network have in common. */
  readonly bits: number;
}

/** The longest text of an address, in characters: IPv6 with an IPv4 address at its end. */
const LONGEST = 45;
/** The groups of 16 bits of an IPv6 address that name a network, of which one customer has all. */
const GROUPS_OF_CUSTOMER = 4;

/** Reads an address in its usual form; undefined for anything else. `010.0.0.1` is none. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > LONGEST) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (text.includes("%") || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/** The address of a peer, as a runtime reports it: one of a link may have a zone, as in `%eth0`. */
export function parsePeer(text: string): Address | undefined {
  const zone = text.indexOf("%");
  return parseAddress(zone < 0 ? text : text.slice(0, zone));
}

/** Whether an address belongs to one of the networks. */
export function isWithin(address: Address, networks: readonly Network[]): boolean {
  const ranges = networks.map(({ first, bits }): [Address, number] => [first, bits]);
  return ipaddr.subnetMatch(address, { trusted: ranges }, "other") === "trusted";
}

/**
 * The part of an address that one client cannot choose: all of IPv4, and the first 64 bits of IPv6.
 * A text that is no address is its own part.
 */
export function networkOf(text: string): string {
  const address = parsePeer(text);
  if (address === undefined) return text;
  if (address.kind() === "ipv4") return address.toString();
  const groups = (address as ipaddr.IPv6).parts.slice(0, GROUPS_OF_CUSTOMER);
  return `${groups.map((group) => group.toString(16)).join(":")}::/64`;
}
