/** Many `weir` commands in one process of each runtime: a process takes longer than most commands. */
import assert from "node:assert/strict";
import { after } from "node:test";
import { type Exit, openStage, type Process, type Stage, UNCAUGHT } from "./process.ts";
import type { Tool } from "./toolchain.ts";
import type { Ended, Given } from "./weir-commands.ts";

/** A process that runs commands one after the other. */
interface Session {
  readonly stage: Stage;
  readonly process: Process;
  /** How many characters of its output are read. */
  read: number;
}

/** That of each runtime, which the tests of a file share. */
const sessions = new Map<Tool, Promise<Session>>();

/** Where and with what a command runs. */
type Options = Partial<Omit<Given, "args">>;

/**
 * Runs a command as `Stage.weir` does, in the process of others. It is for what a command says and
 * does; how its process begins and ends needs `Stage.weir`.
 */
export async function runInSession(
  stage: Stage,
  args: readonly string[],
  options: Options = {},
): Promise<Exit> {
  const { code, stdout, stderr } = await runMeasured(stage, args, options);
  return { code, signal: null, stdout, stderr };
}

/** The same, with the time of the processor that the command has used. */
export async function runMeasured(
  stage: Stage,
  args: readonly string[],
  { cwd = stage.folder, env = {} }: Options = {},
): Promise<Ended> {
  let opening = sessions.get(stage.runtime);
  if (opening === undefined) {
    opening = open(stage.runtime);
    sessions.set(stage.runtime, opening);
  }
  const session = await opening;
  session.process.tell({ args, cwd, env } satisfies Given);
  const answer = new RegExp(`^[^]{${session.read}}(.*)\\n`);
  const [all, line] = await session.process.says(answer);
  session.read = all.length;
  assert.doesNotMatch(session.process.stderr, UNCAUGHT, "the process has an uncaught error");
  return JSON.parse(line);
}

async function open(runtime: Tool): Promise<Session> {
  const stage = await openStage(runtime);
  const process = await stage.script("tests/support/weir-commands.ts");
  return { stage, process, read: 0 };
}

after(async () => {
  const opened = [...sessions.values()];
  sessions.clear();
  for (const opening of opened) await (await opening).stage.end();
});
