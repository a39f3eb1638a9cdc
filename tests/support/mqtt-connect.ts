/** What the first packet of an MQTT client says. */
import type { Buffer } from "node:buffer";

/** A CONNECT packet. What is not there is undefined. */
export interface Connect {
  readonly protocol: number;
  readonly clean: boolean;
  /** Seconds. */
  readonly keepAlive: number;
  /** Seconds; of MQTT 5. */
  readonly sessionExpiry: number | undefined;
  readonly clientId: string;
  readonly will: {
    readonly topic: string;
    readonly payload: string;
    readonly qos: number;
    readonly retain: boolean;
  } | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Reads a whole packet; its length has up to two bytes. */
export function readConnect(packet: Buffer): Connect {
  let at = packet[1] < 128 ? 2 : 3;
  const bytes = (length: number): Buffer => packet.subarray(at, at += length);
  const number = (length: number): number => bytes(length).readUIntBE(0, length);
  const text = (): string => bytes(number(2)).toString();
  text();
  const protocol = number(1);
  const flags = number(1);
  const keepAlive = number(2);
  const sessionExpiry = protocol === 5 ? expiryIn(bytes(number(1))) : undefined;
  const clientId = text();
  const wills = (): Connect["will"] => {
    if (protocol === 5) bytes(number(1));
    const [topic, payload] = [text(), text()];
    return { topic, payload, qos: (flags >> 3) & 3, retain: (flags & 0x20) !== 0 };
  };
  const will = (flags & 4) === 0 ? undefined : wills();
  const username = (flags & 0x80) === 0 ? undefined : text();
  const password = (flags & 0x40) === 0 ? undefined : text();
  const clean = (flags & 2) !== 0;
  return { protocol, clean, keepAlive, sessionExpiry, clientId, will, username, password };
}

/** The properties are those that Weir sends: numbers of four bytes or of two. */
function expiryIn(properties: Buffer): number | undefined {
  for (let at = 0; at < properties.length; at += properties[at] === 0x11 ? 5 : 3) {
    if (properties[at] === 0x11) return properties.readUInt32BE(at + 1);
  }
  return undefined;
}
