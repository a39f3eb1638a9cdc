/** Someone who follows docs/tutorial.md word by word, in an empty folder. */

import assert from "node:assert/strict";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { freePort } from "./ports.ts";
import { commandFile, type Process, root, type Stage } from "./process.ts";
import { needTool, type Tool } from "./toolchain.ts";
import { type Step, stepsOf } from "./tutorial-steps.ts";

/** The tabs of a browser. */
export interface Tabs {
  open(urls: readonly string[]): Promise<void>;
  say(tab: number, text: string): Promise<void>;
  reload(): Promise<void>;
  close(tab: number): Promise<void>;
  /** Waits until every open tab shows a message, or has a heading or a status. */
  shows(kind: "message" | "heading" | "status", text: string): Promise<void>;
}

const WORDS: Readonly<Record<Tool, string>> = { deno: "run -A", bun: "--no-env-file", node: "" };
/** What a server says when it has seen a change. */
const SEEN = / restarted in |keeps running/;

/** Does all that the page says. Without tabs, it leaves out what is about a browser. */
export async function followTutorial(stage: Stage, tabs?: Tabs): Promise<void> {
  const page = await readFile(join(root, "docs/tutorial.md"), "utf8");
  const port = await freePort();
  // The page says 3000, which one test alone could use.
  const steps = stepsOf(page.replaceAll("3000", String(port)));
  const reader = await Reader.prepare(stage, tabs);
  for (const step of steps) await reader.take(step);
  stage.assertSound();
}

class Reader {
  readonly #stage: Stage;
  readonly #env: Readonly<Record<string, string>>;
  readonly #tabs: Tabs | undefined;
  #folder: string;
  #server: Process | undefined;
  /** How much the server had printed before the last change. */
  #mark = 0;
  /** What the last commands have printed, and their exit code. */
  #last = { output: "", code: 0 };
  /** What the server had to print last. */
  #expected = "";

  private constructor(stage: Stage, env: Readonly<Record<string, string>>, tabs?: Tabs) {
    this.#stage = stage;
    this.#env = env;
    this.#tabs = tabs;
    this.#folder = stage.folder;
  }

  /** Puts the command `weir` on PATH, and makes curl as quiet as it is in a terminal. */
  static async prepare(stage: Stage, tabs?: Tabs): Promise<Reader> {
    const { folder, runtime } = stage;
    const bin = join(folder, "bin");
    await mkdir(bin);
    const program = `"${await needTool(runtime)}" ${WORDS[runtime]}`;
    const command = `#!/bin/sh\nexec ${program} "${join(root, commandFile(runtime))}" "$@"\n`;
    await writeFile(join(bin, "weir"), command);
    await chmod(join(bin, "weir"), 0o755);
    await writeFile(join(folder, ".curlrc"), "silent\nshow-error\n");
    const path = `${bin}${delimiter}${process.env.PATH}`;
    return new Reader(stage, { PATH: path, CURL_HOME: folder }, tabs);
  }

  async take(step: Step): Promise<void> {
    switch (step.kind) {
      case "write":
        return await this.#edit(step.file, () => step.text);
      case "add":
        return await this.#edit(step.file, (text) => `${text}\n${step.text}`);
      case "replace":
        return await this.#edit(step.file, (text) => replaced(text, step.text));
      case "change":
        return await this.#edit(step.file, (text) => {
          assert.ok(text.includes(step.from), `${step.file} has no ${step.from}`);
          return text.replace(step.from, step.to);
        });
      case "start":
        this.#mark = 0;
        this.#server = this.#begin(step.command);
        return void await this.#server.says(/ is ready in /);
      case "stop": {
        assert.ok(this.#server !== undefined, "nothing runs in the first terminal");
        this.#server.signal("SIGINT");
        assert.equal((await this.#server.ended()).code, 0, this.#server.output);
        this.#server = undefined;
        return;
      }
      case "run":
        return await this.#run(step.commands);
      case "output":
        return assert.match(`${this.#last.output.trimEnd()}\n`, patternOf(step.text, "^", "$"));
      case "same":
        assert.equal(this.#last.code, step.code);
        this.#last = { ...this.#last, code: 0 };
        return assert.match(this.#last.output, patternOf(this.#expected.split("…\n")[0]));
      case "server":
        this.#expected = step.text;
        assert.ok(this.#server !== undefined, "nothing runs in the first terminal");
        return void await this.#server.says(patternOf(step.text, `^[^]{${this.#mark},}?`));
      default:
        return await this.#look(step);
    }
  }

  async #edit(file: string, edit: (text: string) => string): Promise<void> {
    const path = join(this.#folder, file);
    this.#mark = this.#server?.stdout.length ?? 0;
    await mkdir(dirname(path), { recursive: true });
    // The server must not see half of a file.
    const draft = join(this.#stage.folder, "draft");
    await writeFile(draft, edit(await readFile(path, "utf8").catch(() => "")));
    await rename(draft, path);
    // What follows must meet the server after the change.
    if (!file.endsWith(".hcl")) return;
    await this.#server?.says(new RegExp(`^[^]{${this.#mark},}${SEEN.source}`));
  }

  async #run(commands: readonly string[]): Promise<void> {
    assert.equal(this.#last.code, 0, this.#last.output);
    this.#last = { output: "", code: 0 };
    for (const command of commands) {
      const [, folder] = /^cd (\S+)$/.exec(command) ?? [];
      if (folder !== undefined) {
        this.#folder = join(this.#folder, folder);
        continue;
      }
      const { stdout, code } = await this.#begin(command).ended();
      this.#last = { output: this.#last.output + stdout, code: code ?? 1 };
    }
  }

  /** A line of shell, with one stream for all output, as in a terminal. */
  #begin(command: string): Process {
    const line = command.startsWith("weir ") ? `exec ${command} 2>&1` : `${command} 2>&1`;
    return this.#stage.command("sh", ["-c", line], { cwd: this.#folder, env: this.#env });
  }

  async #look(step: Step): Promise<void> {
    if (this.#tabs === undefined) return;
    if (step.kind === "open") {
      return await this.#tabs.open(
        step.urls.length > 0 ? step.urls : this.#last.output.trimEnd().split("\n"),
      );
    }
    if (step.kind === "say") return await this.#tabs.say(step.tab, step.text);
    if (step.kind === "reload") return await this.#tabs.reload();
    if (step.kind === "close") return await this.#tabs.close(step.tab);
    if (step.kind === "message" || step.kind === "heading" || step.kind === "status") {
      await this.#tabs.shows(step.kind, step.text.trimEnd());
    }
  }
}

/** The configuration with a block in the place of the one that begins with the same line. */
function replaced(configuration: string, block: string): string {
  const [first] = block.split("\n");
  const start = configuration.indexOf(`${first}\n`);
  assert.ok(start !== -1, `there is no ${first}`);
  const end = configuration.indexOf("\n}\n", start) + 3;
  return configuration.slice(0, start) + block + configuration.slice(end);
}

/** A text in which `…` is any text of one line, or any lines where it is alone on its line. */
function patternOf(text: string, before = "", after = ""): RegExp {
  const lines = text.trimEnd().split("\n").map((line) =>
    line === "…" ? "(?:.*\n)*?" : `${RegExp.escape(line).replaceAll("…", ".*?")}\n`
  );
  return new RegExp(before + lines.join("") + after);
}
