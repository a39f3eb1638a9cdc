/** What the tests of `weir run --watch` share. */
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import {
  commandFile,
  type Process,
  type ProcessOptions,
  ready,
  type Stage,
  type Weir,
} from "./process.ts";
import type { SocketClient } from "./socket-client.ts";
import { openClient } from "./talk.ts";

/** Texts by the paths of files. */
export type Files = Readonly<Record<string, string>>;

/** The folder that is watched. */
export function folderOf(stage: Stage): string {
  return join(stage.folder, "watched");
}

/** Writes files of the folder. */
export async function write(stage: Stage, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folderOf(stage), name), text);
  }
}

/** Starts the command. */
export function watching(
  stage: Stage,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<Process> {
  const command = ["run", "--watch", folderOf(stage), ...args];
  return stage.script(commandFile(stage.runtime), command, options);
}

/** Starts the command with these files, and waits until it is ready. */
export async function startWatching(
  stage: Stage,
  files: Files,
  args: readonly string[] = [],
  options: ProcessOptions = {},
): Promise<Weir> {
  await mkdir(folderOf(stage), { recursive: true });
  await write(stage, files);
  return await ready(await watching(stage, args, options));
}

/** Waits for the line that says so for the nth time. */
export async function startedAgain(weir: Weir, times: number): Promise<void> {
  await weir.says(new RegExp(`(?:weir restarted in \\d+ ms: .*\\n[^]*){${times}}`));
}

/** Waits for a line of standard error. */
export async function complains(weir: Process, pattern: RegExp): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!pattern.test(weir.stderr)) {
    if (performance.now() > deadline) throw new Error(`no ${pattern} in:\n${weir.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What a client is answered. */
export async function textOf(client: SocketClient): Promise<unknown> {
  return (await client.ask({ type: "message", id: 1 }) as { data?: { text?: unknown } }).data?.text;
}

/** What a new client is answered; it leaves again. */
export async function answerOf(weir: Weir): Promise<unknown> {
  const client = await openClient(weir);
  const text = await textOf(client);
  client.destroy();
  return text;
}

/** Takes a port. */
export async function listen(
  port = 0,
  host = "0.0.0.0",
): Promise<readonly [Server, port: number]> {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(port, host, resolve));
  return [taken, (taken.address() as AddressInfo).port];
}

/** A WebSocket connector. */
export function server(path = "ws", name = path, port = 0): string {
  return `connector "${name}" {\n  type = "websocket"\n  port = ${port}\n  path = "/${path}"\n}\n`;
}

/** A database whose migrations are in the folder. */
export function database(): string {
  return `connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = ":memory:"
  migrations = "."
}
`;
}

/** A flow that answers with a text. */
export function flow(text: string): string {
  return `flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  response {
    text = "'${text}'"
  }
}
`;
}
