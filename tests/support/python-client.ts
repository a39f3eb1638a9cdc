/** The client in Python of docs/client.md, and servers for it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { blocksOf } from "./markdown.ts";
import { clientPage } from "./client-page.ts";
import { type Process, root, type Stage, type Weir } from "./process.ts";

/** Debian's Python, which has the package `websockets`. */
export const PYTHON = "/usr/bin/python3";

/** What a client prints, and a frame. */
export type Facts = Readonly<Record<string, unknown>>;

/** The client, and the program that uses it. */
export const [pythonClient, pythonProgram] = blocksOf(clientPage, "python");

/** Starts the server of the page on a port, with more blocks in its configuration. */
export async function startServer(stage: Stage, port = 0, more = ""): Promise<Weir> {
  const [chat] = blocksOf(clientPage, "hcl");
  const config = chat.replace(/^ +static .*\n/m, "").replace(/\b3000$/m, `${port}`);
  await writeFile(join(stage.folder, "chat.hcl"), config + more);
  return await stage.run(["chat.hcl"]);
}

/** A client in a process, driven by `tests/e2e/python/model_client.py`. */
export class PythonClient {
  readonly process: Process;

  private constructor(process: Process) {
    this.process = process;
  }

  /** Starts one; `first` is what it does first. */
  static async start(
    stage: Stage,
    port: number,
    { first = "nothing", token = "none", path = "/ws" } = {},
  ): Promise<PythonClient> {
    await writeFile(join(stage.folder, "weir.py"), pythonClient);
    const driver = join(root, "tests/e2e/python/model_client.py");
    const args = [driver, `ws://127.0.0.1:${port}${path}`, token, first];
    return new PythonClient(stage.command(PYTHON, args));
  }

  /** Lets it send so many more numbered requests. */
  say(count: number): void {
    this.process.tell(count);
  }

  /** Whether a request has been answered. */
  answered(n: number): boolean {
    return this.process.stdout.includes(`"n": ${n}}`);
  }

  /** How often the server has let it in. */
  get connections(): number {
    return this.process.stdout.split('"pong"').length - 1;
  }

  /** What it has printed, such as `{ shown: … }`. */
  get facts(): Facts[] {
    const { stdout } = this.process;
    const lines = stdout.slice(0, stdout.lastIndexOf("\n") + 1).split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
  }

  /** The frames that it has shown to the program. */
  get shown(): Facts[] {
    return this.facts.flatMap(({ shown }) => shown === undefined ? [] : [shown as Facts]);
  }

  /** The texts of the messages among them. */
  get texts(): unknown[] {
    return this.shown.filter(({ type }) => type === "message")
      .map(({ data }) => (data as Facts).text);
  }
}
