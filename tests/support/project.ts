/** A machine as a user of Weir has it: the tools on PATH, a home, and Weir in the registries. */

import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { makeExecutable } from "../../executable/build.ts";
import { type Exit, type Process, ready, type Stage, type Weir } from "./process.ts";
import { needExtra } from "./extras.ts";
import { needTool, PACKAGES_VARIABLE } from "./toolchain.ts";

/** Where the commands of a test run, and with what. */
export class Machine {
  /** The environment of all commands. */
  readonly env: Readonly<Record<string, string>>;
  readonly #stage: Stage;

  private constructor(stage: Stage, env: Readonly<Record<string, string>>) {
    this.#stage = stage;
    this.env = env;
  }

  /**
   * Prepares a home in the stage's folder. `registry` is the URL of the one that has Weir, `node` the
   * executable of Node, by default the one that all tests run on.
   */
  static async create(
    stage: Stage,
    registry: string,
    node?: string,
  ): Promise<Machine> {
    const home = join(stage.folder, "home");
    const bin = join(home, "bin");
    await mkdir(bin, { recursive: true });
    for (const tool of ["deno", "bun"] as const) {
      await symlink(await needTool(tool), join(bin, tool));
    }
    await symlink(join(bin, "bun"), join(bin, "bunx"));
    await symlink(node ?? await needTool("node"), join(bin, "node"));
    const npm = await needExtra("npm");
    for (const command of ["npm", "npx"]) {
      await symlink(join(npm, `bin/${command}-cli.js`), join(bin, command));
    }
    // The other packages come from where this machine gets them.
    const npmrc = await readFile(join(homedir(), ".npmrc"), "utf8").catch(() => "");
    await writeFile(join(home, ".npmrc"), `${npmrc}\n@weir:registry=${registry}\n`);
    return new Machine(stage, {
      HOME: home,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      JSR_URL: registry,
      DENO_DIR: join(home, "deno"),
      // What npm has downloaded once in a test run it has.
      npm_config_cache: join(process.env[PACKAGES_VARIABLE] ?? home, "npm"),
      npm_config_yes: "true", // npx asks before it installs a package.
      BUN_INSTALL_CACHE_DIR: join(home, "bun"),
    });
  }

  /** Makes the executable, and puts it on PATH. */
  async installExecutable(): Promise<void> {
    const output = join(this.env.HOME, "bin/weir");
    await makeExecutable({ bun: await needTool("bun"), output });
  }

  /** Starts a line of shell. Ctrl-C, which is `signal("SIGINT")`, reaches all of its processes. */
  start(line: string, cwd: string, env: Readonly<Record<string, string>> = {}): Process {
    const all = { ...this.env, ...env };
    const unset = inherited().filter((name) => !Object.hasOwn(all, name));
    const command = unset.length === 0 ? line : `unset ${unset.join(" ")}; ${line}`;
    return this.#stage.command("sh", ["-c", command], { cwd, env: all, leader: true });
  }

  /** Runs a line of shell to its end, which must be a success. */
  async run(
    line: string,
    cwd: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Exit> {
    const exit = await this.start(line, cwd, env).ended(120_000);
    assert.equal(exit.code, 0, `${line}\n${exit.stdout}${exit.stderr}`);
    return exit;
  }

  /** Starts a line of shell that serves. */
  serve(line: string, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Weir> {
    return ready(this.start(line, cwd, env));
  }
}

/**
 * The variables of this process that a user's shell does not have: those of the npm that has started
 * the tests, and the port of a service, which would win over that of `.env`.
 */
function inherited(): string[] {
  return Object.keys(process.env).filter((name) => /^npm_\w+$/i.test(name) || name === "PORT");
}
