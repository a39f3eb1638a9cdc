/** Tests of the executable that `deno task binary` makes. */
import { link, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { makeExecutable } from "../../executable/build.ts";
import { type Exit, type ProcessOptions, ready, Stage, type Weir } from "./process.ts";
import { needTool } from "./toolchain.ts";

let made: Promise<string> | undefined;
after(async () => {
  if (made !== undefined) await rm(await made, { recursive: true });
});

/** The folder of the executable, which is made once for all tests of a file. */
async function make(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "weir-executable-"));
  await makeExecutable({ bun: await needTool("bun"), output: join(folder, "weir") });
  return folder;
}

/** A stage whose folder has the executable alone, and whose `weir` command it is. */
export class ExecutableStage extends Stage {
  /** The path of the executable. */
  get executable(): string {
    return join(this.folder, "weir");
  }

  /** Runs the executable until it ends. */
  override async weir(args: readonly string[], options: ProcessOptions = {}): Promise<Exit> {
    return await this.#start(args, options).ended();
  }

  /** Starts it with `run` and waits until it is ready. */
  override async run(args: readonly string[], options: ProcessOptions = {}): Promise<Weir> {
    return await ready(this.#start(["run", ...args], options));
  }

  #start(args: readonly string[], options: ProcessOptions) {
    // Neither a runtime nor the folders of this machine's user.
    const env = { PATH: "/usr/bin:/bin", HOME: this.folder, WEIR_CACHE: "", ...options.env };
    return this.command(this.executable, args, { ...options, env });
  }
}

/** Registers a test with the executable in an empty folder. */
export function executableTest(
  name: string,
  run: (stage: ExecutableStage) => Promise<void>,
): void {
  test(`executable: ${name}`, () => withExecutable(run));
}

/** Calls `run` with the executable in an empty folder, which is removed afterwards. */
export async function withExecutable(
  run: (stage: ExecutableStage) => Promise<void>,
): Promise<void> {
  const folder = await (made ??= make());
  const stage = new ExecutableStage("bun", await realpath(await mkdtemp(`${folder}-test-`)));
  try {
    await link(join(folder, "weir"), stage.executable);
    await run(stage);
  } finally {
    await stage.end();
  }
}
