/** Someone who installs the npm package in an empty folder, uses its command, and imports it. */

import assert from "node:assert/strict";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { VERSION } from "../../src/base/version.ts";
import { openStage, type Weir } from "./process.ts";
import { programsOf } from "./programs.ts";
import { Machine } from "./project.ts";
import { haveNpmPackage } from "./npm-project.ts";
import { startRegistry } from "./registry.ts";
import { withoutMigrations, withoutWaits } from "./talk.ts";
import { withoutTemplateWarning } from "./template-warnings.ts";
import { WebClient } from "./web-client.ts";

/** Someone who has one runtime and its package manager. */
export interface User {
  readonly name: string;
  /** The runtime. */
  readonly program: () => Promise<string>;
  /** Without it, the user has what another one has installed with npm. */
  readonly install?: string;
  /** How the command is called. */
  readonly weir: string;
  /** How a script of a package.json calls it, without the package manager. */
  readonly script: string;
  /** How a program is run. */
  readonly run: string;
  /** The entrypoint that programs import. */
  readonly entrypoint: string;
  /** Why this machine cannot be that user's. */
  readonly skip?: string | undefined;
}

/** How a user of npm calls everything. */
export const NPM = {
  weir: "npx weir",
  script: "node_modules/.bin/weir",
  run: "node",
  entrypoint: "node",
};

/** Registers the test of one user. */
export function testPackage(user: User): void {
  test(`package: everything works in an empty folder, with ${user.name}`, {
    skip: user.skip,
  }, async () => {
    await withMachine(user.program, async (machine, folder) => {
      if (user.install === undefined) await haveNpmPackage(machine, folder);
      else await machine.run(user.install, folder);
      assert.equal((await machine.run(`${user.weir} --version`, folder)).stdout, `${VERSION}\n`);
      await machine.run(`${user.script} init app`, folder);
      const checked = await machine.run(`${user.script} check app`, folder);
      assert.match(checked.stdout, /^good: /);
      const tested = await machine.run(`${user.script} test app`, folder);
      assert.match(tested.stdout, /^\d+ tests, all passed$/m);
      // Nothing is written about what a user cannot change.
      assert.equal(withoutTemplateWarning("chat", withoutNpm(checked.stderr)), "");
      assert.equal(withoutNpm(tested.stderr), "");

      for (const line of [`${user.weir} run app`, `${user.script} run app --workers 2`]) {
        // The shell must not get the signal as well.
        const weir = await machine.serve(`exec ${line}`, folder, { PORT: "0" });
        await assertServes(weir, await user.program());
        weir.signal("SIGINT");
        const { code, signal, stdout, stderr } = await weir.ended();
        // npx ends by the signal itself when the command has ended.
        const end = line.startsWith("npx") ? signal : code;
        assert.equal(end, line.startsWith("npx") ? "SIGINT" : 0, weir.output);
        assert.match(stdout, /^weir is shutting down$/m);
        const said = withoutWaits(withoutMigrations(withoutNpm(stderr)));
        assert.equal(withoutTemplateWarning("chat", said), "");
      }

      await writeFile(join(folder, "program.mjs"), programOf(user.entrypoint));
      // With the arguments of a command: no entrypoint runs it because it is imported.
      const ran = await machine.run(`${user.run} program.mjs init never`, folder);
      assert.equal(
        ran.stdout,
        "one process: 1 member\ntwo processes: 0 members\ncore: 1 flow\nentrypoints: 5\n",
      );
    });
  });
}

/** Runs with a registry, a home and an empty folder. */
export async function withMachine(
  program: () => Promise<string>,
  use: (machine: Machine, folder: string) => Promise<void>,
): Promise<void> {
  const registry = await startRegistry();
  const stage = await openStage("deno");
  try {
    const path = await program();
    const isNode = path.endsWith("node");
    const machine = await Machine.create(stage, registry.url, isNode ? path : undefined);
    const folder = join(stage.folder, "project");
    await mkdir(folder);
    await use(machine, folder);
    stage.assertSound();
  } finally {
    await stage.end();
    registry.close();
  }
}

/** npm warns about the settings of the machine that runs the test. */
export function withoutNpm(stderr: string): string {
  return stderr.replaceAll(/^npm warn .*\n/gm, "");
}

/** A client of the chat is answered, and every process is one of this program. */
async function assertServes(weir: Weir, program: string): Promise<void> {
  const client = await WebClient.open(`ws://localhost:${weir.port}/ws`);
  const answer = await client.request({ type: "join_room", room: "lobby" });
  assert.equal(answer.type, "ack");
  client.close();
  const programs = await programsOf(weir.pid);
  if (programs !== undefined) assert.deepEqual(programs, [await realpath(program)]);
}

/** A program that serves, alone and with workers, and uses the core. */
function programOf(entrypoint: string): string {
  return `
    import { loadConfig } from "@weir/runtime";
    import { readConfigFiles, serve } from "@weir/runtime/${entrypoint}";

    const config = \`
      connector "ws" {
        type = "websocket"
        port = 0
      }
      flow "echo" {
        from {
          connector = "ws"
          operation = "message"
        }
        response {
          text = "input.text"
        }
      }
    \`;
    const service = await serve(config);
    const socket = new WebSocket(service.addresses.find((address) => address.startsWith("ws")));
    const heard = new Promise((resolve) => {
      socket.onmessage = ({ data }) => {
        const { type } = JSON.parse(data);
        if (type === "ack") resolve();
      };
    });
    socket.onopen = () => socket.send(JSON.stringify({ type: "join_room", id: 1, room: "a" }));
    await heard;
    console.log("one process:", await service.runtime.sendToRoom("a", { hello: true }), "member");
    socket.close();
    await service.close();

    const shared = await serve(config, { workers: 2 });
    console.log("two processes:", await shared.runtime.sendToRoom("a", {}), "members");
    await shared.close();

    const model = await loadConfig(await readConfigFiles("app"), { env: (name) => process.env[name] });
    console.log("core:", model.flows.length > 0 ? 1 : 0, "flow");

    const names = ["", "/node", "/cli", "/testing", process.versions.bun ? "/bun" : "/deno"];
    const modules = await Promise.all(names.map((name) => import("@weir/runtime" + name)));
    console.log("entrypoints:", modules.length);
    process.exit(0);
  `;
}
