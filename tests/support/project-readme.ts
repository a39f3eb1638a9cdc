/** The projects of `weir init`: a test follows the README of each, command by command. */

import assert from "node:assert/strict";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { test } from "node:test";
import { TEMPLATES } from "../../src/commands/usage.ts";
import { VERSION } from "../../src/base/version.ts";
import { openStage, type Weir } from "./process.ts";
import { programsOf } from "./programs.ts";
import { Machine } from "./project.ts";
import { messageOf, messageWith, openPage } from "./project-page.ts";
import { type Instruction, instructionsOf, sectionOf } from "./readme.ts";
import { startRegistry } from "./registry.ts";
import { withoutTemplateWarning } from "./template-warnings.ts";
import { type Frame, WebClient } from "./web-client.ts";

type Template = typeof TEMPLATES[number];

/** The first words of the commands that only some readers follow. */
const TOOLS = ["npm", "bun", "deno", "weir"] as const;

/** A way of having Weir. */
export interface Way {
  /** The first word of its commands. */
  readonly tool: typeof TOOLS[number];
  /** Creates a project. */
  readonly init: string;
  /** The program that serves. */
  readonly runtime: string;
  /** What its tools write into a project. */
  readonly writes: readonly string[];
  /** The files of a project that only the other ways need. */
  readonly unused: readonly string[];
  /** The template whose README is followed from its first line to its last. */
  readonly template: Template;
}

/** A change of a configuration that Weir must take over. */
const EXTRA_FLOW = `
flow "extra" {
  when = "@every 1h"

  to {
    connector = "db"
    query     = "SELECT 1"
  }
}
`;

/**
 * Registers the test of one way. It creates a project of every template. The README of one template is
 * followed completely. The section "Start" is the same in the others, so that only what installs and
 * starts them is followed there, in a project without the files of the other ways.
 */
export function projectTest(way: Way): void {
  test(`project: the README of every template is right, with ${way.tool}`, async () => {
    const registry = await startRegistry();
    const stage = await openStage("deno");
    try {
      const machine = await Machine.create(stage, registry.url);
      if (way.tool === "weir") await machine.installExecutable();
      const others = TEMPLATES.filter((template) => template !== way.template);
      let earlier: Reader | undefined;
      for (const template of [way.template, ...others]) {
        const reader = new Reader(machine, way, template, stage.folder);
        await reader.follow(earlier);
        earlier = reader;
      }
      stage.assertSound();
    } finally {
      await stage.end();
      registry.close();
    }
  });
}

/** Someone who creates a project and does what its README says. */
class Reader {
  readonly #machine: Machine;
  readonly #way: Way;
  readonly #template: Template;
  /** Where the project is created. */
  readonly #parent: string;
  readonly #folder: string;
  /** The server that the commands after "Start" talk to. */
  #weir: Weir | undefined;
  #startCommand = "";
  /** The commands of the section "Start". */
  #start: readonly Instruction[] = [];

  constructor(machine: Machine, way: Way, template: Template, parent: string) {
    this.#machine = machine;
    this.#way = way;
    this.#template = template;
    this.#parent = parent;
    this.#folder = join(parent, `my-${template}`);
  }

  /** After another project, it does not repeat what is the same in both. */
  async follow(earlier?: Reader): Promise<void> {
    const { tool, init, writes } = this.#way;
    const made = await this.#machine.run(
      `${init} my-${this.#template} --template ${this.#template}`,
      this.#parent,
    );
    const readme = await this.#read("README.md");
    const instructions = instructionsOf(readme);
    this.#start = instructionsOf(sectionOf(readme, "Start"));
    // What it prints is also in the README, so that it is followed as well.
    const [, next] = /\nnext:\n((?: {2}.*\n)+)/.exec(made.stdout) ?? [];
    const lines = next?.split("\n").map((line) => line.trim()).filter((line) => line !== "");
    assert.equal(lines?.[0], `cd my-${this.#template}`, made.stdout);
    const commands = instructions.map(({ text }) => text).filter((text) =>
      text.startsWith(`${tool} `)
    );
    assert.ok(commands.length >= 4, commands.join("\n"));
    for (const line of lines.slice(1)) assert.ok(commands.includes(line), line);

    if (earlier !== undefined) await this.#continue(earlier);
    const files = await this.#unignored();
    for (const instruction of instructions) {
      if (earlier === undefined || !this.#isRepeated(instruction)) await this.#obey(instruction);
    }
    await this.#stop();
    // It finds the client library that the page imports.
    if (tool === "deno" && earlier === undefined) {
      await this.#machine.run("deno check", this.#folder);
    }
    assert.deepEqual(await this.#unignored(), [...files, ...writes].sort());
  }

  /** Deletes what this way does not need, and takes what has been installed for an earlier project. */
  async #continue(earlier: Reader): Promise<void> {
    assert.deepEqual(this.#start, earlier.#start);
    for (const file of this.#way.unused) await rm(join(this.#folder, file));
    this.#startCommand = earlier.#startCommand;
    if (!this.#start.some(({ text }) => text === `${this.#way.tool} install`)) return;
    // An installation from nothing has been seen.
    const [from, to] = [earlier, this].map((each) => join(each.#folder, "node_modules"));
    await rename(from, to);
  }

  /** Whether the command does the same in each project: `start`, `dev`, `check` and `test`. */
  #isRepeated({ text }: Instruction): boolean {
    return this.#start.some((other) => other.text === text) &&
      !/^\w+ install$|^cp /.test(text);
  }

  async #obey({ language, text }: Instruction): Promise<void> {
    const [tool] = text.split(" ");
    if (language === "js") return await this.#script(text);
    assert.equal(language, "sh", text);
    if (tool !== this.#way.tool && TOOLS.some((other) => other === tool)) return;
    if (/^(?:npm|bun) install$/.test(text)) return await this.#install(text);
    if (/(?: start| run --dotenv)$/.test(text)) return await this.#begin(text);
    if (/(?: dev| --watch)$/.test(text)) return await this.#develop(text);
    if (/ check(?: --dotenv)?$/.test(text)) return await this.#check(text);
    if (/ test(?: --dotenv)?$/.test(text)) return await this.#test(text);
    if (text === "cp .env.example .env") return await this.#configure(text);
    if (text.startsWith("curl ")) return await this.#curl(text);
    assert.fail(`the test does not know what is right for: ${text}`);
  }

  async #install(command: string): Promise<void> {
    await this.#machine.run(command, this.#folder);
    const manifest = await this.#read("node_modules/@weir/runtime/package.json");
    assert.equal(JSON.parse(manifest).version, VERSION);
  }

  async #begin(command: string): Promise<void> {
    this.#startCommand = command;
    const weir = await this.#machine.serve(command, this.#folder, { PORT: "0" });
    await this.#assertServes(weir);
    await end(weir);
  }

  async #develop(command: string): Promise<void> {
    const weir = await this.#machine.serve(command, this.#folder, { PORT: "0" });
    const file = join(this.#folder, `${this.#template}.hcl`);
    const text = await readFile(file, "utf8");
    await writeFile(file, text + EXTRA_FLOW);
    await weir.says(/ restarted in /);
    await this.#assertServes(weir);
    await end(weir);
    await writeFile(file, text);
  }

  async #check(command: string): Promise<void> {
    const { stdout, stderr } = await this.#machine.run(command, this.#folder);
    assert.match(stdout, /^good: \d+ connectors, \d+ flows, \d+ tests(?:, 1 warning)?$/m);
    withoutTemplateWarning(this.#template, stderr);
  }

  async #test(command: string): Promise<void> {
    const { stdout } = await this.#machine.run(command, this.#folder);
    assert.match(stdout, /^\d+ tests, all passed$/m);
  }

  async #configure(command: string): Promise<void> {
    await this.#machine.run(command, this.#folder);
    const variables = await this.#read(".env");
    assert.equal(variables, await this.#read(".env.example"));
    const readme = await this.#read("README.md");
    for (const [, name] of variables.matchAll(/^(\w+)=/gm)) {
      assert.ok(readme.includes(`the variable \`${name}\``), name);
    }
    // Tests that run at the same time cannot share a port.
    assert.match(variables, /^PORT=3000$/m);
    await writeFile(join(this.#folder, ".env"), variables.replace("PORT=3000", "PORT=0"));
  }

  /** What is posted reaches the page, as the README says. */
  async #curl(command: string): Promise<void> {
    const weir = await this.#server();
    const line = atPort(command, weir);
    const [, body] = /--json '(.*?)'/.exec(line) ?? [];
    const { key, ...data } = JSON.parse(body) as Frame;
    const page = await openPage(weir, [String(data.topic)]);
    const { stdout } = await this.#machine.run(line, this.#folder);
    if (this.#template === "iot") {
      assert.deepEqual(JSON.parse(stdout), { sensor: "temperature", ...data });
      const device = await WebClient.open(`ws://localhost:${weir.port}/devices?device=a`);
      for (const [value, alarm] of [[data.high, false], [data.high as number + 1, true]]) {
        await device.request({ type: "reading", data: { sensor: "temperature", value } });
        const reading = await messageOf(page, "reading");
        assert.partialDeepStrictEqual(reading, { value, alarm });
      }
      device.close();
    } else {
      assert.partialDeepStrictEqual(await messageWith(page, data), data);
      if (key !== undefined) {
        const repeated = await this.#machine.run(line, this.#folder);
        assert.equal(repeated.stdout, stdout);
        await page.request({ type: "join_room", room: "lobby" });
        assert.equal(page.waiting, 0);
      }
    }
    page.close();
  }

  /** A program of the README, here a device. */
  async #script(text: string): Promise<void> {
    const weir = await this.#server();
    const page = await openPage(weir, ["alarms"]);
    const file = join(this.#parent, "device.mjs");
    await writeFile(file, atPort(text, weir));
    const device = this.#machine.start(`node ${file}`, this.#parent);
    await device.says(/^\{"type":"ack","id":1\}$/m);
    assert.partialDeepStrictEqual(await messageOf(page, "reading"), { value: 41, alarm: true });
    await messageOf(page, "alarm");
    device.signal("SIGINT");
    await device.ended();
    page.close();
  }

  /** The server of the README's other parts, with the port of .env. */
  async #server(): Promise<Weir> {
    this.#weir ??= await this.#machine.serve(this.#startCommand, this.#folder);
    return this.#weir;
  }

  async #stop(): Promise<void> {
    if (this.#weir !== undefined) await end(this.#weir);
    this.#weir = undefined;
  }

  /** It serves the page and sockets, on the right runtime. */
  async #assertServes(weir: Weir): Promise<void> {
    const page = await fetch(`http://localhost:${weir.port}/`);
    assert.equal(await page.text(), await this.#read("public/index.html"));
    const socket = await WebClient.open(`ws://localhost:${weir.port}/ws`);
    await socket.request({ type: "join_room", room: "lobby" });
    socket.close();
    const programs = await programsOf(weir.pid);
    if (programs === undefined) return;
    assert.deepEqual(programs.map((program) => basename(program)), [this.#way.runtime]);
  }

  /** The files that git would add. */
  async #unignored(): Promise<string[]> {
    const list = "git init -q && git ls-files --others --exclude-standard";
    const { stdout } = await this.#machine.run(list, this.#folder);
    return stdout.trimEnd().split("\n").sort();
  }

  #read(file: string): Promise<string> {
    return readFile(join(this.#folder, file), "utf8");
  }
}

/** Ends a server as Ctrl-C does. */
async function end(weir: Weir): Promise<void> {
  weir.signal("SIGINT");
  const { stdout } = await weir.ended();
  assert.match(stdout, /^weir is shutting down$/m);
}

/** The README says 3000. */
function atPort(text: string, { port }: Weir): string {
  assert.match(text, /localhost:3000/);
  return text.replaceAll("localhost:3000", `localhost:${port}`);
}
