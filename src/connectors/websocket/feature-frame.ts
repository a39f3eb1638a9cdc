/** Serves the frames of clients that a feature of rooms answers, without a flow. */
import { ackFrame, type ClientFrame, roomProblem } from "./protocol.ts";
import type { OpenConnection } from "./registry.ts";
import type { RoomFeature } from "./room-feature.ts";

/** Serves a frame of a feature, and answers it. */
export function serveFeature(
  feature: RoomFeature,
  connection: OpenConnection,
  { id, room, data }: ClientFrame,
): void {
  const problem = roomProblem(room);
  const refusal = problem === undefined
    ? feature.serve?.(connection, room as string, data)
    : { code: "invalid_room", message: problem };
  if (refusal !== undefined) connection.refuse({ ...refusal, id });
  else if (id !== undefined) connection.send(ackFrame(id));
}
