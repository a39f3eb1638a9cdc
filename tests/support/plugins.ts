/** What the tests of plugins do with those of the fixtures. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Weir } from "./process.ts";
import type { SocketClient } from "./socket-client.ts";
import { ack } from "./talk.ts";

/** Replaces a part of a file of the stage's plugins. */
export async function edit(folder: string, name: string, from: string, to: string): Promise<void> {
  const path = join(folder, name);
  const text = await readFile(path, "utf8");
  assert.ok(text.includes(from), `${name} has ${from}`);
  await writeFile(path, text.replace(from, to));
}

/** Counts, and returns the count that is told to all clients. */
export async function count(client: SocketClient, by = 1): Promise<unknown> {
  client.say({ type: "count", id: "n", data: { by } });
  const heard = [await client.hear(), await client.hear()];
  const answer = heard.find((message) => (message as { readonly id?: unknown }).id === "n");
  const told = heard.find((message) => message !== answer);
  const { data } = told as { readonly data: { readonly count: number } };
  assert.deepEqual(answer, ack("n"));
  return data.count;
}

/** Waits until it has said so on stderr. */
export async function complains(weir: Weir, pattern: RegExp): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!pattern.test(weir.stderr)) {
    if (performance.now() > deadline) throw new Error(`no ${pattern} in:\n${weir.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
