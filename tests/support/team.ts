/** A service of two workers, and clients on both of them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Stage, Weir } from "./process.ts";
import type { SocketClient } from "./socket-client.ts";
import { pause } from "./socket-probe.ts";
import { openClient } from "./talk.ts";
import { childrenOf, ownersOf } from "./workers.ts";

const USERS = ["anna", "bob"];

/** A service of two workers. */
export interface Team {
  readonly weir: Weir;
  readonly database: string;
  /** Calls the REST connector and returns the body of its response. */
  post(path: string, body?: unknown): Promise<unknown>;
}

/** Runs the configuration of `tests/fixtures/workers`. */
export async function startTeam(
  stage: Stage,
  env: Readonly<Record<string, string>> = {},
): Promise<Team> {
  const folder = await stage.copy("workers");
  const weir = await stage.run([folder, "--workers", "2"], { env, leader: true });
  const address = weir.addresses.find((address) => address.startsWith("http"));
  const post = async (path: string, body: unknown = {}): Promise<unknown> => {
    const response = await fetch(`${address}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  };
  return { weir, database: join(folder, "data/workers.db"), post };
}

/** Clients, some of them on each of two workers; one that has been replaced may still be starting. */
export async function openCrowd({ weir }: Pick<Team, "weir">, count: number): Promise<{
  readonly clients: SocketClient[];
  readonly owners: readonly number[];
}> {
  for (let tries = 0; tries < 100; tries++) {
    const clients = await Promise.all(
      Array.from({ length: count }, (_, index) => openClient(weir, { user: USERS[index % 2] })),
    );
    const owners = await ownersOf(await childrenOf(weir.pid), clients);
    if (new Set(owners).size === 2) return { clients, owners };
    for (const client of clients) client.destroy();
    await pause(50);
  }
  throw new Error("all clients are always on one worker");
}
