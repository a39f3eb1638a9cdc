/** Rooms with a history, and clients of them without a network. */
import assert from "node:assert/strict";
import { RoomPattern } from "../../src/connectors/websocket/rooms/pattern.ts";
import type { RoomOptions } from "../../src/connectors/websocket/rooms/fields.ts";
import type { FakeClient } from "./worker-runtimes.ts";
import { soon } from "./linked-hubs.ts";

/** A frame of the server. */
export type Frame = Readonly<Record<string, unknown>>;

/** Rooms that begin with "h", with a history of this size, and all others without one. */
export function rooms(size = 5, ttl = 60_000): readonly RoomOptions[] {
  const parts = { join: undefined, steps: [] };
  return [
    { ...parts, pattern: new RoomPattern("h*"), history: { size, ttl } },
    { ...parts, pattern: new RoomPattern("*") },
  ];
}

/** Sends a frame with an id; returns what comes up to its answer, which is the last. */
export async function answered(client: FakeClient, frame: Frame): Promise<readonly Frame[]> {
  const heard: Frame[] = [];
  client.tell({ id: "ask", ...frame });
  const id = frame.id ?? "ask";
  await soon("the answer", () => {
    heard.push(...client.take() as Frame[]);
    return heard.some((one) => one.id === id);
  });
  return heard;
}

/** Joins a room; returns the answer, and puts what came beside it into `more`. */
export async function join(
  client: FakeClient,
  room: string,
  history: unknown,
  more: Frame[] = [],
): Promise<Frame> {
  const heard = await answered(client, {
    type: "join_room",
    room,
    ...(history !== undefined && { history }),
  });
  const at = heard.findIndex(({ id }) => id === "ask");
  more.push(...heard.slice(at + 1));
  assert.equal(at, 0, JSON.stringify(heard));
  return heard[at];
}

/** The numbers in the data of messages, each with its offset. */
export function numbersIn(frames: readonly Frame[]): readonly unknown[] {
  return frames.map(({ data, offset }) => [(data as { readonly n?: unknown })?.n, offset]);
}
