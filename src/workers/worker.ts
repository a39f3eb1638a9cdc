/** What a process does that was started as a worker. */
import process from "node:process";
import { createBirpc } from "birpc";
import { WorkerError } from "../base/errors.ts";
import type { Host } from "../server/host.ts";
import { type Service, startService } from "../server/mod.ts";
import { resultOf } from "./failure.ts";
import { Link } from "./link.ts";
import { relayLog } from "./log.ts";
import type { StartOrder, Status, SupervisorFunctions, WorkerFunctions } from "./messages.ts";
import { replay } from "./reads.ts";
import { Texts } from "./texts.ts";

/** How often a worker says how it is, in milliseconds. */
const REPORT_INTERVAL = 1_000;

/** While more messages than this wait for the supervisor, nothing is logged. */
const MOST_UNSENT = 10_000;

/** Serves until its supervisor lets it go or is gone; gives the exit code. */
export async function runWorker(host: Host): Promise<number> {
  // A Ctrl-C reaches the whole group: the supervisor alone decides what it means.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const { promise: disconnected, resolve: disconnect } = Promise.withResolvers<void>();
  process.once("disconnect", disconnect);
  // Where the supervisor was killed in the middle of a message, Deno tells by this alone.
  process.on("error", disconnect);
  const worker = new Worker(host, disconnect);
  await disconnected;
  await worker.disconnected();
  return 0;
}

class Worker implements WorkerFunctions {
  readonly #host: Host;
  readonly #supervisor;
  /** Messages that the supervisor has not taken yet. */
  #unsent = 0;
  #link: Link | undefined;
  #service: Service | undefined;
  #closed: Promise<void> | undefined;
  #reporting: ReturnType<typeof setInterval> | undefined;

  /** `disconnect` is called where it turns out that the supervisor is gone. */
  constructor(host: Host, disconnect: () => void) {
    this.#host = host;
    // Where it was killed with something unread, Deno tells by this alone.
    const sent = (error: Error | null): void => {
      this.#unsent--;
      if (error !== null && error !== undefined) disconnect();
    };
    this.#supervisor = createBirpc<SupervisorFunctions, WorkerFunctions>(this, {
      post: (message) => {
        if (!process.connected) return;
        this.#unsent++;
        try {
          process.send?.(message, sent);
        } catch (error) {
          sent(error as Error);
        }
      },
      on: (hear) => void process.on("message", hear),
      bind: "functions",
      timeout: -1,
    });
  }

  start({ worker, leader, files, texts, reads, ports, logLevel }: StartOrder) {
    return resultOf(async () => {
      if (logLevel !== undefined) {
        await relayLog(
          logLevel,
          worker,
          (record) => say(this.#supervisor.log.asEvent(record)),
          () => this.#unsent > MOST_UNSENT,
        );
      }
      const { options, listen } = this.#host;
      const cluster = this.#link = new Link(leader, this.#supervisor);
      const service = await startService(
        files,
        { ...options, ...replay(reads), cache: new Texts(texts), ports, cluster },
        async (...address) => {
          // Before the first client comes: what others send from now on is for clients here, too.
          await cluster.attend();
          return await listen(...address);
        },
      );
      this.#service = service;
      this.#report(service);
      return { addresses: service.addresses, ports: service.ports };
    });
  }

  lead(): void {
    this.#link?.lead();
  }

  hear(...[said]: Parameters<WorkerFunctions["hear"]>): void {
    this.#link?.hear(said);
  }

  answer(connector: string, text: string): string {
    return this.#link?.answer(connector, text) ?? "null";
  }

  caughtUp(): void {}

  call(...[method, args]: Parameters<WorkerFunctions["call"]>) {
    return resultOf(async () => {
      const { runtime } = this.#service ?? fail("a worker does not serve yet");
      const call = runtime[method] as (...args: readonly unknown[]) => Promise<unknown>;
      return await call.apply(runtime, JSON.parse(args)) ?? null;
    });
  }

  close() {
    return resultOf(async () => {
      await this.#close();
      return null;
    });
  }

  /** The supervisor is gone: what is in flight ends, and nobody is waited for. */
  async disconnected(): Promise<void> {
    this.#link?.disconnect();
    await this.#close();
  }

  #close(): Promise<void> {
    clearInterval(this.#reporting);
    return this.#closed ??= this.#service?.close() ?? Promise.resolve();
  }

  /** Also where nothing has changed: by this a worker finds out that its supervisor is gone. */
  #report({ runtime }: Service): void {
    const report = (): void => {
      const status: Status = { counts: runtime.counts(), health: runtime.health() };
      say(this.#supervisor.report.asEvent(status));
    };
    report();
    this.#reporting = setInterval(report, REPORT_INTERVAL);
  }
}

/** Sends what needs no answer. It is rejected where the supervisor is gone, and then this worker ends. */
function say(saying: Promise<void>): void {
  saying.catch(() => {});
}

function fail(message: string): never {
  throw new WorkerError(message);
}
