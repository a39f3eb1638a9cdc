/** One case of framing: what is sent, packet by packet, and exactly what comes back. */
import { Buffer } from "node:buffer";
import { frameBytes, type WireFrame } from "../client.ts";
import { opcodes } from "../../support/socket-frames.ts";

/** Whose parser reads the frames. */
export type Sockets = "ws" | "bun" | "deno";

/**
 * What comes back, frame by frame, as `showFrame` has it; `END` or `WAITS` stands last. Without
 * either of them the connection lives, and a last question is answered.
 */
export type Outcome = readonly string[];

/** What a runtime does instead, and the reason, in a line. */
export interface Otherwise {
  readonly outcome: Outcome;
  readonly why: string;
}

/** A case. */
export interface Case {
  readonly name: string;
  /** Each in a packet of its own; a number waits until so many frames have come. */
  readonly packets: readonly (Uint8Array | number)[];
  readonly outcome: Outcome;
  readonly otherwise?: Partial<Readonly<Record<Sockets, Otherwise>>>;
  /** The packets have the client's own close in them: it does not answer the server's. */
  readonly closes?: boolean;
}

/** The server lets go of the connection. */
export const END = "end";
/** Nothing more comes: the server waits for what the client has begun. */
export const WAITS = "waits";

/** A case whose packets are each one frame, or several. */
export function framingCase(
  name: string,
  packets: readonly (WireFrame | readonly WireFrame[] | Uint8Array | number)[],
  outcome: Outcome,
  otherwise?: Case["otherwise"],
): Case {
  const bytes = packets.map((packet) =>
    typeof packet === "number" || packet instanceof Uint8Array
      ? packet
      : Buffer.concat(toList(packet).map(frameBytes))
  );
  return { name, packets: bytes, outcome, ...(otherwise === undefined ? {} : { otherwise }) };
}

/** Frames as bytes in packets of so many. */
export function chopped(frames: readonly WireFrame[], size: number): Uint8Array[] {
  const bytes = Buffer.concat(frames.map(frameBytes));
  const packets: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) packets.push(bytes.subarray(at, at + size));
  return packets;
}

/** A message that the server answers with the same data. */
export function say(data: string): string {
  return JSON.stringify({ type: "echo", data });
}

/** The answer to it. */
export function echo(data: string): string {
  return `text ${JSON.stringify({ type: "message", data: { data } })}`;
}

/** The answer to a message that is no JSON. */
export const NO_JSON = 'text {"type":"error","message":"not valid JSON","code":"invalid_json"}';

/** A message of so many bytes, and its answer. */
export function sized(bytes: number): { readonly payload: string; readonly answer: string } {
  const data = "x".repeat(bytes - say("").length);
  return { payload: say(data), answer: echo(data) };
}

/** The server closes with this code, and lets go. */
export function closed(code: number): Outcome {
  return [`close ${code}`, END];
}

/** What `Deno.upgradeWebSocket` makes of a frame that breaks the protocol. */
export const GONE: Otherwise = {
  outcome: [END],
  why: "Deno's own upgrade ends such a connection without a close frame",
};

/** What Deno's own upgrade makes of a message that never is there. */
export const UNBOUNDED: Otherwise = {
  outcome: [WAITS],
  why: "Deno's own upgrade waits for up to 64 MB",
};

/** What a standard WebSocket makes of a binary message. */
export const WEAK_1003: Otherwise = {
  outcome: closed(4003),
  why: "a standard WebSocket sends no 1003",
};

/** The parts of a message as frames. */
export function fragments(
  parts: readonly (string | Uint8Array)[],
  opcode: number = opcodes.text,
): WireFrame[] {
  return parts.map((payload, i) => ({
    opcode: i === 0 ? opcode : opcodes.continuation,
    payload,
    fin: i === parts.length - 1,
  }));
}

function toList<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : [value as T];
}
