/** Opens one connection to the server that takes writes. */
import { type Address, describeNode } from "../settings.ts";
import { connectClient, inTime, makeClient, PATIENCE, tlsOf } from "./client.ts";
import { FinalError } from "./errors.ts";
import type { Connection } from "./link.ts";
import { locate } from "./sentinel.ts";

/** The oldest version that has all commands. */
const OLDEST = 7;

/**
 * Connects. `name` is shown in the server's list of clients; `signal` ends the attempt.
 *
 * @throws {Error} The server is away or refuses the connection; `isFinal` tells which.
 */
export async function connect(
  address: Address,
  name: string,
  signal: AbortSignal,
): Promise<Connection> {
  const { nodes: [node], sentinel, username, password, database } = address;
  const encryption = await tlsOf(address);
  const { host, port } = sentinel === undefined ? node : await locate(address, signal);
  const place = describeNode({ host, port });
  const client = makeClient({ host, port, username, password }, { encryption, database, name });
  return await inTime(client, PATIENCE, signal, async () => {
    await connectClient(client);
    const hello = await client.sendCommand<Readonly<Record<string, unknown>>>(["HELLO"]);
    const { server, version, id, role } = hello;
    const words = `${server} ${version}`;
    if (!(parseInt(String(version)) >= OLDEST)) {
      throw new FinalError(`it is ${words}; version ${OLDEST}.0 or later is needed`);
    }
    if (sentinel !== undefined && role !== "master") {
      throw new Error(`${place} is not the master any more`);
    }
    return { client, id: Number(id), server: words, place };
  });
}
