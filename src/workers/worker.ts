/** What a process does that was started as a worker. */
import process from "node:process";
import { createBirpc } from "birpc";
import { WorkerError } from "../errors.ts";
import type { Host } from "../server/host.ts";
import { type Service, startService } from "../server/service.ts";
import { resultOf } from "./failure.ts";
import { Link } from "./link.ts";
import { relayLog } from "./log.ts";
import type { StartOrder, Status, SupervisorFunctions, WorkerFunctions } from "./messages.ts";

/** How often a worker says how it is, where that has changed, in milliseconds. */
const REPORT_INTERVAL = 1_000;

/** Serves until its supervisor lets it go or is gone; gives the exit code. */
export async function runWorker(host: Host): Promise<number> {
  // A Ctrl-C reaches the whole group: the supervisor alone decides what it means.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const disconnected = new Promise<void>((resolve) => process.once("disconnect", resolve));
  const worker = new Worker(host);
  await disconnected;
  await worker.disconnected();
  return 0;
}

class Worker implements WorkerFunctions {
  readonly #host: Host;
  readonly #supervisor;
  #link: Link | undefined;
  #service: Service | undefined;
  #closed: Promise<void> | undefined;
  #reporting: ReturnType<typeof setInterval> | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#supervisor = createBirpc<SupervisorFunctions, WorkerFunctions>(this, {
      // A supervisor that is gone meanwhile is told of by "disconnect".
      post: (message) => void (process.connected && process.send?.(message, ignore)),
      on: (hear) => void process.on("message", hear),
      bind: "functions",
      timeout: -1,
    });
  }

  start({ worker, leader, files, ports, logLevel }: StartOrder) {
    return resultOf(async () => {
      if (logLevel !== undefined) {
        await relayLog(logLevel, worker, (record) => void this.#supervisor.log.asEvent(record));
      }
      const { options, listen } = this.#host;
      const cluster = this.#link = new Link(leader, this.#supervisor);
      const service = await startService(
        files,
        { ...options, ports, cluster },
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

  #report({ runtime }: Service): void {
    let last = "";
    const report = (): void => {
      const status: Status = { counts: runtime.counts(), troubles: runtime.troubles() };
      const text = JSON.stringify(status);
      if (text !== last) void this.#supervisor.report.asEvent(status);
      last = text;
    };
    report();
    this.#reporting = setInterval(report, REPORT_INTERVAL);
  }
}

function ignore(): void {}

function fail(message: string): never {
  throw new WorkerError(message);
}
