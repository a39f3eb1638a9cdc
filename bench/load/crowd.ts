/** Thousands of WebSocket clients in a program in C, which is compiled on first use. */
import { compiled } from "../compile.ts";
import type { Measurement } from "../scenario.ts";

/** The result of one command. */
export interface Work {
  /** The number of connections, answers or copies. */
  readonly done: number;
  /** Duration. */
  readonly seconds: number;
  /** CPU seconds of the server in that time, user and system. */
  readonly cpu: number;
  /** CPU seconds of the crowd. */
  readonly own: number;
  /** Median of the milliseconds until the answer or until the last copy; 0 where there is none. */
  readonly p50: number;
  /** The 99th percentile of the same. */
  readonly p99: number;
}

/** A range of clients, by their index from 0. */
export interface Range {
  readonly first: number;
  readonly count: number;
}

/**
 * Questions of every client, and the expected answer. In the texts `%d` is the client's index, `%h`
 * its hundreds, `%p` the index of the client half the crowd away, `%n` the number of the client's
 * question, from 0, and `%N` nine digits of it. A text that begins with `hex:` is a binary frame.
 */
export interface Questions extends Range {
  /** Questions of each client. */
  readonly each: number;
  /** Questions of one client that may be outstanding, at most 256. */
  readonly window: number;
  readonly frame: string;
  readonly answer: string;
}

/** What one client sends, and what each of the others must receive; `%n` and `%N` are the message's number. */
export interface Fan extends Range {
  /** The client that sends. */
  readonly sender: number;
  readonly messages: number;
  /** Messages that may be outstanding, at most 256. */
  readonly window: number;
  /** Messages a second; by default as many as the window allows. */
  readonly rate?: number;
  readonly frame: string;
  readonly copy: string;
}

/** What another program sends, and what each client must receive; `%n` is the message's number. */
export interface Hearing extends Range {
  readonly messages: number;
  readonly copy: string;
  /** Sends the messages. Called when the crowd listens. */
  send(): Promise<void>;
}

/** How to start the program. */
export interface CrowdOptions {
  /** The server's port on 127.0.0.1. */
  readonly port: number;
  /** A subprotocol, or `engine.io`, whose pings are texts. */
  readonly protocol?: string;
  /** Changes the command line, such as {@link Pinning.free}. */
  readonly command?: (command: readonly string[]) => string[];
}

/** Clients of one server. crowd.c describes the commands. */
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
   * @throws Error with the compiler's output.
   */
  static async start(options: CrowdOptions): Promise<Crowd> {
    const { port, protocol = "-", command = (all) => [...all] } = options;
    const program = await compiled("crowd", "load");
    const [file, ...args] = command([program, String(port), protocol]);
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    return new Crowd(new Deno.Command(file, { args, ...pipes }).spawn());
  }

  /** Measures the CPU time of these processes from now on. */
  async watch(pids: readonly number[]): Promise<void> {
    for (const pid of pids) await this.#do("watch", pid);
  }

  /** The server of the clients that are opened from now on. */
  async use(port: number): Promise<void> {
    await this.#do("port", port);
  }

  /** Connects more clients; `%d` in the path is a client's index. */
  async open(count: number, path = "/ws"): Promise<Work> {
    return await this.#do("open", count, path);
  }

  /** Opens connections, `window` at a time, and closes each at once. */
  async churn(count: number, window: number, path = "/ws"): Promise<Work> {
    return await this.#do("churn", count, window, path);
  }

  /** Every client sends a frame and receives a number of frames of any content. */
  async tell({ first, count }: Range, frame: string, frames: number): Promise<Work> {
    return await this.#do("tell", first, count, frame, frames);
  }

  /** Every client sends its questions. */
  async ask({ first, count, each, window, frame, answer }: Questions): Promise<Work> {
    return await this.#do("ask", first, count, each, window, frame, answer);
  }

  /** One client sends to all. */
  async fan(fan: Fan): Promise<Work> {
    const { sender, first, count, messages, window, rate = 0, frame, copy } = fan;
    return await this.#do("fan", sender, first, count, messages, window, rate, frame, copy);
  }

  /** All receive what another program sends. */
  async hear({ first, count, messages, copy, send }: Hearing): Promise<Work> {
    await this.#do("hear", first, count, messages, copy);
    const [work] = await Promise.all([this.#answer(), send()]);
    return work;
  }

  /** Ends the program, and with it all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    // Fails where the program has ended by itself, which was reported then.
    await this.#commands.close().catch(() => {});
    await this.#child.status;
    await this.#complaint;
  }

  /** Sends one command and waits for its answer. A program that fails prints why and ends. */
  async #do(...fields: readonly (string | number)[]): Promise<Work> {
    const line = new TextEncoder().encode(`${fields.join("\t")}\n`);
    // Where this fails, so does the answer, which has the cause.
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

/** A measurement: the cost is the server's CPU time in microseconds, divided by the number of things done. */
export function measurementOf({ done, seconds, cpu, own, p50, p99 }: Work): Measurement {
  return {
    cost: cpu * 1e6 / done,
    rate: done / seconds,
    load: cpu / seconds,
    generator: own / seconds,
    ...p99 === 0 ? {} : { p50, p99 },
  };
}
