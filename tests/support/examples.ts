/** Runs examples as the processes that a user would start, and talks to them. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { needTool, type Tool } from "./toolchain.ts";

/** How long anything that must happen may take, in milliseconds. */
const PATIENCE = 20_000;
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** How each runtime runs a file. */
const RUN: Readonly<Record<Tool, readonly string[]>> = {
  deno: ["run", "-A"],
  bun: ["--no-env-file"],
  node: [],
};

/** The arguments of `weir run PATH` on one runtime, on a free port. */
export function weirRun(tool: Tool, path: string): readonly string[] {
  return [`src/${tool}.ts`, "run", path, "--port", "ws=0"];
}

/** A running example. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #output = "";

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once("close", resolve));
    child.stdout?.on("data", (bytes) => this.#output += bytes);
    child.stderr?.on("data", (bytes) => this.#output += bytes);
  }

  /** Starts a file in the root of the repository, with variables beside those of this process. */
  static async start(
    tool: Tool,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Program> {
    const child = spawn(await needTool(tool), [...RUN[tool], ...args], {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Program(child);
  }

  /** What it has written so far. */
  get output(): string {
    return this.#output;
  }

  /** The port of the first address that it writes. */
  async port(): Promise<number> {
    const address = /(?:ws|http):\/\/[^\s/]+:(\d+)/;
    await within("the program names its address", async () => {
      let code: number | null | undefined;
      this.#exited.then((exit) => code = exit);
      while (!address.test(this.#output)) {
        if (code !== undefined) throw new Error(`it ended with ${code}:\n${this.#output}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
    return Number(address.exec(this.#output)?.[1]);
  }

  /** Waits for its end; the exit code, or null where a signal killed it. */
  ended(): Promise<number | null> {
    return within("the program ends", () => this.#exited);
  }

  /** What Ctrl-C does. */
  interrupt(): Promise<number | null> {
    this.#child.kill("SIGINT");
    return this.ended();
  }

  /** Leaves nothing behind. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

/** What the server sends. */
export type Frame = Readonly<Record<string, unknown>>;

/** A client as a browser would be one. */
export class Client {
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];
  #arrived: () => void = () => {};
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", (event) => resolve(event.code));
    });
    socket.addEventListener("message", (event) => {
      this.#frames.push(JSON.parse(event.data));
      this.#arrived();
    });
  }

  /** Connects to a URL. */
  static async open(url: string): Promise<Client> {
    const socket = new WebSocket(url);
    const client = new Client(socket);
    await within(`${url} opens`, () =>
      new Promise<void>((resolve, reject) => {
        socket.addEventListener("open", () => resolve());
        socket.addEventListener("error", () => reject(new Error(`${url} cannot be opened`)));
      }));
    return client;
  }

  /** Sends a frame with an id; resolves with its answer, an ack or an error. */
  request(frame: Frame): Promise<Frame> {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ ...frame, id }));
    return this.#take(`an answer to ${JSON.stringify(frame)}`, (found) => found.id === id);
  }

  /** The next message: `data` of a frame of that type. */
  async message(): Promise<unknown> {
    return (await this.#take("a message", ({ type }) => type === "message")).data;
  }

  /** How many messages have arrived that nobody has taken. */
  get waiting(): number {
    return this.#frames.filter(({ type }) => type === "message").length;
  }

  close(): void {
    this.#socket.close();
  }

  #take(what: string, matches: (frame: Frame) => boolean): Promise<Frame> {
    return within(`${what} arrives`, async () => {
      for (;;) {
        const index = this.#frames.findIndex(matches);
        if (index >= 0) return this.#frames.splice(index, 1)[0];
        await new Promise<void>((resolve) => this.#arrived = resolve);
      }
    });
  }
}

/** Sends a request whose target no URL parser has touched; resolves with the whole response. */
export function rawGet(port: number, target: string): Promise<string> {
  return within(`GET ${target} is answered`, () =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1");
      let response = "";
      socket.on("data", (bytes) => response += bytes);
      socket.on("end", () => resolve(response));
      socket.on("error", reject);
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    }));
}

/** Posts JSON. */
export function post(url: string, body: unknown): Promise<Response> {
  const headers = { "content-type": "application/json" };
  return fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
}

/** Runs with a new folder, which is removed afterwards. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "weir-example-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function within<T>(what: string, run: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), PATIENCE);
  });
  try {
    return await Promise.race([run(), late]);
  } finally {
    clearTimeout(timer);
  }
}
