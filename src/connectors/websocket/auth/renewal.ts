/** The `auth` frame: a client renews the token of its live connection. */
import { ackFrame, type ClientFrame } from "../protocol.ts";
import type { Connection } from "../connection.ts";
import type { Authenticator } from "./authenticator.ts";

/** Puts the frame's token in force, or refuses it, and then the old one stays. Never rejects. */
export async function renew(
  authenticator: Authenticator,
  connection: Connection,
  { id, token }: ClientFrame,
): Promise<void> {
  const { credentials } = connection;
  const renewal = await authenticator.renew(token, credentials.identity);
  if (!renewal.accepted) {
    const { message, outage } = renewal;
    return connection.refuse({ code: "unauthorized", message, id, outage: outage ?? false });
  }
  credentials.renew(renewal.identity);
  if (id !== undefined) connection.send(ackFrame(id));
}
