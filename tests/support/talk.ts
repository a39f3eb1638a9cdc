/** Clients of the fixture `talk`, and what its database says. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Stage, Weir } from "./process.ts";
import { type ClientOptions, handshakeText, type Message, SocketClient } from "./socket-client.ts";

/** A running server with the configuration of `tests/fixtures/talk`. */
export interface Talk {
  readonly weir: Weir;
  /** Where its configuration and its database lie. */
  readonly folder: string;
}

/** Starts the server on a stage. */
export async function startTalk(stage: Stage): Promise<Talk> {
  const folder = await stage.copy("talk");
  return { weir: await stage.run([folder]), folder };
}

/** A client that has connected and joined rooms. */
export async function openClient(
  { port }: { readonly port: number },
  options: ClientOptions & { readonly user?: string; readonly rooms?: readonly string[] } = {},
): Promise<SocketClient> {
  const client = await SocketClient.connect(port, options);
  client.write(handshakeText(options.user === undefined ? "/ws" : `/ws?user_id=${options.user}`));
  await client.upgraded();
  for (const room of options.rooms ?? []) {
    assert.deepEqual(await client.ask({ type: "join_room", room, id: room }), ack(room));
  }
  return client;
}

/** The bare answer to a frame with an `id`. */
export function ack(id: string | number): Message {
  return { type: "ack", id };
}

/** The rows of a table as another process sees them, in the order of their making. */
export function rowsOf(database: string, table: string): Record<string, unknown>[] {
  const reader = new DatabaseSync(database, { readOnly: true });
  try {
    return reader.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all().map((row) => ({ ...row }));
  } finally {
    reader.close();
  }
}

/** Who has left the server, in order. */
export function departures({ folder }: Talk): Record<string, unknown>[] {
  return rowsOf(join(folder, "data/talk.db"), "departures");
}

/**
 * What a process with the fixture writes beside its warnings, since it lets clients choose their names,
 * its migrations, and what it waits for.
 */
export function withoutWarnings(stderr: string): string {
  const warnings = /^(?:warning\[[\w-]+\]: .*\n(?:[ \d]*[┌│].*\n)*\n?)+/;
  return withoutWaits(withoutMigrations(stderr.replace(warnings, "")));
}

/** What a start writes beside which migrations it applies. */
export function withoutMigrations(stderr: string): string {
  return stderr.replace(/^.* \[INF\] weir·\S+: appl(?:ying|ied) migration .*\n/gm, "");
}

/** What a process writes beside what its start or shutdown waits for, which depends on the machine. */
export function withoutWaits(stderr: string): string {
  return stderr.replace(
    /^.* \[INF\] weir(?:·workers)?: (?:shutting down; |the start waits ).*\n/gm,
    "",
  );
}
