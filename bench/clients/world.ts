/** A library with its server, a proxy between them, and programs that use the library. */
import { fileURLToPath } from "node:url";
import { keptPort } from "../../tests/support/ports.ts";
import { openStage, type Process, type Stage } from "../../tests/support/process.ts";
import { Proxy } from "../../tests/support/proxy.ts";
import { pause, until } from "../../tests/support/socket-probe.ts";
import type { LibraryOptions } from "./libraries/library.ts";
import type { Library, OfEach } from "./libraries/mod.ts";
import type { Order, Told } from "./program.ts";

/** Something that a program has told, and when: the time of day in milliseconds. */
export type Note = Told & { readonly at: number };

/** How long anything may take, in milliseconds. */
const PATIENCE = 120_000;

const urls: OfEach<(port: number) => string> = {
  weir: (port) => `ws://127.0.0.1:${port}/ws`,
  socketio: (port) => `http://127.0.0.1:${port}`,
  centrifuge: (port) => `ws://127.0.0.1:${port}/connection/websocket`,
};

/** A program that uses the library. */
export class Program {
  readonly #process: Process;
  readonly #notes: Note[] = [];
  #read = 0;

  constructor(process: Process) {
    this.#process = process;
  }

  /** What it has told so far. */
  get notes(): readonly Note[] {
    const { stdout } = this.#process;
    for (;;) {
      const end = stdout.indexOf("\n", this.#read);
      if (end < 0) return this.#notes;
      this.#notes.push(JSON.parse(stdout.slice(this.#read, end)));
      this.#read = end + 1;
    }
  }

  /** The notes of an event so far. */
  of<E extends Note["event"]>(event: E): readonly Extract<Note, { readonly event: E }>[] {
    return this.notes.filter((note) => note.event === event) as never;
  }

  /** The numbers of the messages that it has shown. */
  get shown(): readonly number[] {
    return this.of("message").map(({ n }) => n);
  }

  /** Waits until a note fulfils a condition, and returns the first one. */
  async told(what: string, fulfils: (note: Note) => boolean, since = 0): Promise<Note> {
    const found = () => this.notes.find((note) => note.at >= since && fulfils(note));
    try {
      await until(what, () => found() !== undefined, 5, PATIENCE);
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${this.#process.output.slice(-2000)}`);
    }
    return found() as Note;
  }

  order(order: Order): void {
    this.#process.tell(order);
  }

  /** Asks for a number and waits for the end of that. */
  async ask(n: number): Promise<Note> {
    const since = Date.now();
    this.order({ ask: n });
    const isEnd = ({ event }: Note) => event === "answered" || event === "rejected";
    return await this.told(
      `the end of request ${n}`,
      (note) => isEnd(note) && "n" in note && note.n === n,
      since,
    );
  }

  signal(name: "SIGSTOP" | "SIGCONT"): void {
    this.#process.signal(name);
  }

  async end(): Promise<void> {
    await this.#process.kill();
  }
}

/** What a case works with. */
export class World {
  readonly library: Library;
  readonly proxy: Proxy;
  /** Where its server listens. */
  readonly port: number;
  static readonly #all: Set<World> = new Set();
  readonly #stage: Stage;
  #server: Process | undefined;

  private constructor(library: Library, stage: Stage, proxy: Proxy, port: number) {
    this.library = library;
    this.#stage = stage;
    this.proxy = proxy;
    this.port = port;
  }

  /** Runs with a world, and leaves nothing of it. The server is not started. */
  static async with<T>(library: Library, run: (world: World) => Promise<T>): Promise<T> {
    const stage = await openStage("node");
    const port = await keptPort();
    const proxy = await Proxy.open(port);
    const world = new World(library, stage, proxy, port);
    World.#all.add(world);
    try {
      return await run(world);
    } finally {
      await world.#end();
    }
  }

  /** Ends all worlds, where the benchmark is interrupted. */
  static async endAll(): Promise<void> {
    await Promise.all([...World.#all].map((world) => world.#end()));
  }

  async #end(): Promise<void> {
    if (!World.#all.delete(this)) return;
    this.proxy.close();
    await this.#stage.end();
  }

  /** Starts the server; with `token` it asks for one, and accepts none. */
  async startServer({ token = false } = {}): Promise<void> {
    const env = { BENCH_PORT: String(this.port) };
    if (this.library === "weir") {
      const file = path(token ? "servers/weir-token.hcl" : "servers/weir.hcl");
      this.#server = await this.#stage.run([file], { env });
      return;
    }
    const program = {
      socketio: "bench/clients/servers/socketio.js",
      centrifuge: "bench/clients/servers/centrifugo.ts",
    }[this.library];
    this.#server = await this.#stage.script(program, token ? ["token"] : [], {
      env,
    });
    await this.#server.says(/ready/);
  }

  /** Asks the server to end, as a deployment does, and waits for that. */
  async stopServer(): Promise<void> {
    this.#server?.signal("SIGTERM");
    await this.#server?.ended();
  }

  /** Starts a program; with `direct` it goes past the proxy. */
  async start(
    job: "chat" | "connection" | "crowd",
    options:
      & Partial<Omit<LibraryOptions, "url" | "tell">>
      & {
        readonly count?: number;
        readonly direct?: boolean;
        readonly port?: number;
      } = {},
  ): Promise<Program> {
    const { direct = false, port = direct ? this.port : this.proxy.port, ...others } = options;
    const url = urls[this.library](port);
    const args = [this.library, job, url, JSON.stringify(others)];
    return new Program(await this.#stage.script("bench/clients/program.ts", args));
  }

  /** Starts a program with a chat, and waits until it is in the room. */
  async chat(options: { readonly direct?: boolean } = {}): Promise<Program> {
    const program = await this.start("chat", options);
    await program.told("the room", ({ event }) => event === "ready");
    return program;
  }

  /** Starts a program with a connection, and waits until it is open. */
  async connect(options: Parameters<World["start"]>[1] = {}): Promise<Program> {
    const program = await this.start("connection", options);
    await program.told("the connection", ({ event }) => event === "open");
    // Socket.IO begins with requests of HTTP.
    await pause(1000);
    return program;
  }
}

function path(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

export { pause, until };
