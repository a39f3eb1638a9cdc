/** Runs a process as a worker: serves the configuration, under the control of the supervisor. */
import process from "node:process";
import { createBirpc } from "birpc";
import { WorkerError } from "../base/errors.ts";
import { ClusterMember, WorkerLink } from "../cluster/mod.ts";
import type { Host } from "../server/host.ts";
import { type StartedService, startService } from "../server/mod.ts";
import { MemoryTextCache, replay } from "./inputs.ts";
import { connectToHub } from "./link-socket.ts";
import { relayLog } from "./log.ts";
import type { StartOrder, Status, SupervisorFunctions, WorkerFunctions } from "./protocol.ts";
import { resultOf } from "./wire.ts";

/** How often a worker reports its status, in milliseconds. */
const REPORT_INTERVAL = 1_000;

/** Above this many unsent messages to the supervisor, log records are dropped. */
const MAX_UNSENT = 10_000;

/** Serves until the supervisor says so or ends itself. Returns the exit code. */
export async function runWorker(host: Host): Promise<number> {
  // Ctrl-C reaches all processes of the service; the supervisor decides what to do.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
  const { promise: disconnected, resolve: disconnect } = Promise.withResolvers<void>();
  process.once("disconnect", disconnect);
  // If the supervisor was killed in the middle of a message, Deno emits only this.
  process.on("error", disconnect);
  const worker = new Worker(host, disconnect);
  await disconnected;
  await worker.disconnected();
  return 0;
}

class Worker implements WorkerFunctions {
  readonly #host: Host;
  readonly #supervisor;
  readonly #disconnect: () => void;
  /** The number of messages that have not left this process yet. */
  #unsent = 0;
  #member: ClusterMember | undefined;
  #service: StartedService | undefined;
  #closed: Promise<void> | undefined;
  #reporting: ReturnType<typeof setInterval> | undefined;

  /** Calls `disconnect` when the supervisor says so, or when a message cannot reach it. */
  constructor(host: Host, disconnect: () => void) {
    this.#host = host;
    this.#disconnect = disconnect;
    // If the supervisor was killed with unread messages, Deno reports only this.
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
      on: (receive) => void process.on("message", receive),
      bind: "functions",
      timeout: -1,
    });
  }

  start(order: StartOrder) {
    return resultOf(async () => {
      const { worker, leader, instance, files, cache, inputs, ports, logLevel, metrics } = order;
      if (logLevel !== undefined) {
        await relayLog(
          logLevel,
          worker,
          (record) => send(this.#supervisor.log.asEvent(record)),
          () => this.#unsent > MAX_UNSENT,
        );
      }
      const { options, listen } = this.#host;
      const cluster = this.#member = new ClusterMember({
        worker,
        leader,
        instance,
        link: new WorkerLink({ connect: (listener) => connectToHub(order.link, listener) }),
        coordinator: this.#supervisor,
      });
      const service = await startService(
        files,
        {
          ...options,
          ...replay(inputs),
          cache: new MemoryTextCache(cache),
          ports,
          cluster,
          metrics,
        },
        async (...address) => {
          // Awaited, so that the supervisor knows it before the first client.
          await this.#supervisor.listening();
          return await listen(...address);
        },
      );
      this.#service = service;
      this.#report(service);
      return { addresses: service.addresses, ports: service.ports };
    });
  }

  lead(): void {
    this.#member?.lead();
  }

  ping(): void {}

  call(...[method, args]: Parameters<WorkerFunctions["call"]>) {
    return resultOf(async () => {
      const { runtime } = this.#service ?? fail("the worker is not ready yet");
      const call = runtime[method] as (...args: readonly unknown[]) => Promise<unknown>;
      return await call.apply(runtime, JSON.parse(args)) ?? null;
    });
  }

  metrics() {
    return resultOf(() => {
      const { runtime } = this.#service ?? fail("the worker is not ready yet");
      return Promise.resolve(runtime.metricsData());
    });
  }

  close() {
    return resultOf(async () => {
      await this.#close();
      return null;
    });
  }

  end(): void {
    this.#disconnect();
  }

  /** Shuts down without a supervisor: waits for the flows in flight, but for no other worker. */
  async disconnected(): Promise<void> {
    this.#member?.disconnect();
    this.#supervisor.$close();
    clearInterval(this.#reporting);
    await this.#close();
  }

  #close(): Promise<void> {
    return this.#closed ??= this.#service?.close() ?? Promise.resolve();
  }

  /**
   * Reports even if nothing has changed, and during the shutdown, since a failed report shows that the
   * supervisor is gone.
   */
  #report({ runtime }: StartedService): void {
    const report = (): void => {
      const status: Status = {
        counts: runtime.counts(),
        health: runtime.health(),
        serving: runtime.serving,
        flows: runtime.work.flows,
      };
      send(this.#supervisor.report.asEvent(status));
    };
    report();
    this.#reporting = setInterval(report, REPORT_INTERVAL);
  }
}

/** Sends without waiting. It fails if the supervisor is gone, and then this worker ends anyway. */
function send(sending: Promise<void>): void {
  sending.catch(() => {});
}

function fail(message: string): never {
  throw new WorkerError(message);
}
