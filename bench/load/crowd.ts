/** Thousands of WebSocket clients in a program of their own, which is compiled on first use. */
import { compiled } from "../compile.ts";
import type { Measurement } from "../scenario.ts";

/** What one command of the crowd found. */
export interface Work {
  /** How many connections, answers or copies. */
  readonly done: number;
  /** How long it took. */
  readonly seconds: number;
  /** CPU seconds of the server meanwhile, user and system. */
  readonly cpu: number;
  /** CPU seconds of the crowd itself. */
  readonly own: number;
  /** Milliseconds until the answer, or until the last copy, for half of the messages; 0 where there is none. */
  readonly p50: number;
  /** The same for 99 of 100. */
  readonly p99: number;
}

/** Some clients, by their index from 0. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

/**
 * What every client asks, and what it must get. In the texts `%d` is the client's index, `%h` its
 * hundreds, `%p` the index of the client half the crowd away, `%n` the number of the client's question, from 0, and `%N` nine
 * digits of it. A text that begins with `hex:` stands for a binary frame.
 */
export interface Questions extends Range {
  /** Questions of each client. */
  readonly each: number;
  /** Questions of one client that may be on their way at once, at most 256. */
  readonly window: number;
  readonly frame: string;
  readonly answer: string;
}

/** What one client sends, and what each of the others must get; `%n` and `%N` are the message's number. */
export interface Fan extends Range {
  /** The client that sends. */
  readonly sender: number;
  readonly messages: number;
  /** Messages that may be on their way at once, at most 256. */
  readonly window: number;
  /** Messages a second; by default as many as the window lets through. */
  readonly rate?: number;
  readonly frame: string;
  readonly copy: string;
}

/** What somebody else sends, and what each client must get; `%n` is the message's number. */
export interface Hearing extends Range {
  readonly messages: number;
  readonly copy: string;
  /** Sends the messages; called when the crowd listens. */
  send(): Promise<void>;
}

/** How the program is started. */
export interface CrowdOptions {
  /** The server's port on 127.0.0.1. */
  readonly port: number;
  /** A subprotocol to ask for, or `engine.io`, which has pings of its own. */
  readonly protocol?: string;
  /** Makes the command line, such as {@link Pinning.free}; as it is by default. */
  readonly command?: (command: readonly string[]) => string[];
}

/** Clients of one server. What they do is described in crowd.c. */
export class Crowd implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #commands: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #complaint: Promise<string>;
  #rest = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#commands = child.stdin.getWriter();
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#complaint = new Response(child.stderr).text();
  }

  /**
   * Starts the program, without a client yet.
   *
   * @throws Error with what the compiler said.
   */
  static async start(options: CrowdOptions): Promise<Crowd> {
    const { port, protocol = "-", command = (all) => [...all] } = options;
    const program = await compiled("crowd", "load");
    const [file, ...args] = command([program, String(port), protocol]);
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    return new Crowd(new Deno.Command(file, { args, ...pipes }).spawn());
  }

  /** From now on the CPU time of these processes is measured. */
  async watch(pids: readonly number[]): Promise<void> {
    for (const pid of pids) await this.#do("watch", pid);
  }

  /** Connects so many more clients; `%d` in the path is a client's index. */
  async open(count: number, path = "/ws"): Promise<Work> {
    return await this.#do("open", count, path);
  }

  /** Opens so many connections, `window` at a time, and closes each at once. */
  async churn(count: number, window: number, path = "/ws"): Promise<Work> {
    return await this.#do("churn", count, window, path);
  }

  /** Every client says something and gets so many frames, whatever they are. */
  async tell({ first, count }: Range, frame: string, frames: number): Promise<Work> {
    return await this.#do("tell", first, count, frame, frames);
  }

  /** Every client asks its questions. */
  async ask({ first, count, each, window, frame, answer }: Questions): Promise<Work> {
    return await this.#do("ask", first, count, each, window, frame, answer);
  }

  /** One client sends to all. */
  async fan(fan: Fan): Promise<Work> {
    const { sender, first, count, messages, window, rate = 0, frame, copy } = fan;
    return await this.#do("fan", sender, first, count, messages, window, rate, frame, copy);
  }

  /** All get what somebody else sends. */
  async hear({ first, count, messages, copy, send }: Hearing): Promise<Work> {
    await this.#do("hear", first, count, messages, copy);
    const [work] = await Promise.all([this.#answer(), send()]);
    return work;
  }

  /** Ends the program, and with it all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Fails where the program has ended by itself, which then was told.
    await this.#commands.close().catch(() => {});
    await this.#child.status;
    await this.#complaint;
  }

  /** One command, one answer. A program that fails says why and ends. */
  async #do(...fields: readonly (string | number)[]): Promise<Work> {
    const line = new TextEncoder().encode(`${fields.join("\t")}\n`);
    // Where it fails, so does what follows, which knows the cause.
    await this.#commands.write(line).catch(() => {});
    return await this.#answer();
  }

  async #answer(): Promise<Work> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end !== -1) {
        const line = this.#rest.slice(0, end);
        this.#rest = this.#rest.slice(end + 1);
        return JSON.parse(line);
      }
      const { value, done } = await this.#lines.read();
      if (done) throw new Error((await this.#complaint).trim());
      this.#rest += value;
    }
  }
}

/** A measurement whose cost is the server's CPU time in microseconds for each thing that was done. */
export function measurementOf({ done, seconds, cpu, own, p50, p99 }: Work): Measurement {
  return {
    cost: cpu * 1e6 / done,
    rate: done / seconds,
    load: cpu / seconds,
    generator: own / seconds,
    ...p99 === 0 ? {} : { p50, p99 },
  };
}
