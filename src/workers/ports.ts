/** Makes sure that ports are free before workers share them: sharing would hide who else is there. */
import { createServer } from "node:net";
import type { ListenAddress } from "../server/mod.ts";

/** Takes a port for a moment. Rejects with the system's error, whose `code` says why. */
export async function tryAddress({ host, port }: ListenAddress): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, exclusive: true }, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
