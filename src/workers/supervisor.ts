/** Starts the processes of the workers, restarts those that end, and connects them to each other. */
import { systemClock } from "../base/clock.ts";
import { WorkerError } from "../base/errors.ts";
import { retryDelay, type RetryDelays } from "../base/retry.ts";
import { Coordinator, type RemoteMember, startHealthChecks } from "../cluster/mod.ts";
import type { Logger } from "../contract/connector.ts";
import { MemoryDedupeStore } from "../flow/dedupe.ts";
import { logRelayed } from "./log.ts";
import { WorkerProcess } from "./process.ts";
import type { RuntimeCall, Started, StartOrder, Status } from "./protocol.ts";
import { valueOf } from "./wire.ts";

/** The delays before a worker that keeps ending is restarted. */
const RESTARTS: RetryDelays = { delay: 100, maxDelay: 5_000, backoff: "exponential" };
/** A worker that has run for this long, in milliseconds, is restarted without a delay. */
const STABLE_AFTER = 10_000;
/** How much longer than its own shutdown a worker may take to end, in milliseconds. */
const KILL_DELAY = 2_000;

/** What a supervisor is made with. */
export interface SupervisorOptions {
  /** The number of workers. */
  readonly workers: number;
  /** The program and the arguments of a worker. */
  readonly command: readonly string[];
  /** What each worker runs. */
  readonly order: Omit<StartOrder, "worker" | "leader">;
  /** Milliseconds that the shutdown of a worker may take. */
  readonly shutdownTimeout: number;
  readonly logger: Logger;
}

/** One worker, which is one process after another. */
interface WorkerState {
  readonly worker: number;
  process: WorkerProcess | undefined;
  /** The process as the other workers reach it. */
  member: RemoteMember | undefined;
  /** True when it has started. */
  ready: boolean;
  status: Status;
  startedAt: number;
  /** How often in a row it ended soon after its start. */
  failures: number;
  restart: ReturnType<typeof setTimeout> | undefined;
  stopHealthChecks: (() => void) | undefined;
}

/** The workers of one service. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #coordinator = new Coordinator({
    clock: systemClock,
    createDedupeStore: (maxKeys) => new MemoryDedupeStore(maxKeys),
  });
  readonly #workers: readonly WorkerState[];
  #ports: Readonly<Record<string, number>>;
  /** Between the start and the shutdown: a worker that ends is restarted. */
  #running = false;
  #closing = false;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#ports = options.order.ports;
    this.#workers = Array.from({ length: options.workers }, (_, index): WorkerState => ({
      worker: index + 1,
      process: undefined,
      member: undefined,
      ready: false,
      status: { counts: {}, health: {} },
      startedAt: 0,
      failures: 0,
      restart: undefined,
      stopHealthChecks: undefined,
    }));
  }

  /**
   * Starts all workers: the first one alone, since it migrates databases and takes the ports.
   *
   * @throws {ConnectorError | WorkerError} A worker failed to start; all have been ended.
   */
  static async start(
    options: SupervisorOptions,
  ): Promise<{ readonly supervisor: Supervisor; readonly started: Started }> {
    const supervisor = new Supervisor(options);
    const [first, ...others] = supervisor.#workers;
    try {
      // The processes load their code side by side.
      for (const state of supervisor.#workers) supervisor.#spawn(state);
      const started = await supervisor.#start(first);
      supervisor.#ports = started.ports;
      await Promise.all(others.map((state) => supervisor.#start(state)));
      const lost = supervisor.#workers.find(({ ready }) => !ready);
      if (lost !== undefined) {
        throw new WorkerError(`worker ${lost.worker} ended before all workers were ready`);
      }
      supervisor.#running = true;
      return { supervisor, started };
    } catch (error) {
      // The first error is the one to report.
      await supervisor.close().catch(() => {});
      throw error;
    }
  }

  /** The latest report of every worker, at most a second old. */
  get statuses(): readonly Status[] {
    return this.#workers.map(({ status }) => status);
  }

  /**
   * Calls a method of the runtime in one of the workers.
   *
   * @throws {ConnectorError | WorkerError} The call failed, or no worker is running.
   */
  async call(method: RuntimeCall, args: readonly unknown[]): Promise<unknown> {
    const process = this.#workers.find(({ ready }) => ready)?.process;
    if (process === undefined) throw new WorkerError("no worker is running");
    // As text: the JSON of some runtimes loses values such as half a surrogate pair.
    const text = JSON.stringify(args);
    const result = await Promise.race([process.functions.call(method, text), process.ended]);
    if (typeof result === "string") throw new WorkerError(`the worker ended (${result})`);
    return valueOf(result);
  }

  /** Shuts all workers down; kills a worker that takes too long. */
  async close(): Promise<void> {
    this.#running = false;
    this.#closing = true;
    const ends = await Promise.allSettled(this.#workers.map((state) => this.#close(state)));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #spawn(state: WorkerState): void {
    const { worker } = state;
    const { command, logger } = this.#options;
    const member: RemoteMember = {
      lead: () => {
        logger.info("worker {worker} is the leader now", { worker });
        // A worker that has ended meanwhile is followed by the next leader.
        process.functions.lead.asEvent().catch(() => {});
      },
      deliver: (messages) => void process.functions.deliver.asEvent(messages),
      respond: (connector, text) => process.functions.respond(connector, text),
      ping: () => process.functions.ping(),
    };
    const functions = this.#coordinator.join(member);
    const process: WorkerProcess = new WorkerProcess(command, {
      ...functions,
      subscribe: () => {
        functions.subscribe();
        this.#checkHealth(state);
      },
      report: (status) => void (state.status = status),
      log: logRelayed,
    });
    state.process = process;
    state.member = member;
    state.startedAt = performance.now();
    void process.ended.then((ending) => {
      this.#coordinator.leave(member);
      state.stopHealthChecks?.();
      state.stopHealthChecks = undefined;
      state.process = undefined;
      state.member = undefined;
      state.ready = false;
      state.status = { counts: {}, health: { runtime: "is not running" } };
      if (!this.#running) return;
      this.#coordinator.elect();
      this.#restart(state, ending);
    });
  }

  async #start(state: WorkerState): Promise<Started> {
    const { process, member, worker } = state;
    if (process === undefined || member === undefined) {
      throw new WorkerError(`worker ${worker} ended before it was ready`);
    }
    const leader = this.#coordinator.isLeader(member);
    const order = { ...this.#options.order, ports: this.#ports, worker, leader };
    const result = await Promise.race([process.functions.start(order), process.ended]);
    if (typeof result === "string") {
      throw new WorkerError(`worker ${worker} ended before it was ready (${result})`);
    }
    const started = valueOf(result);
    state.ready = true;
    this.#coordinator.ready(member);
    this.#checkHealth(state);
    if (this.#running) this.#coordinator.elect();
    return started;
  }

  #restart(state: WorkerState, ending: string): void {
    const { worker } = state;
    const { logger } = this.#options;
    const lived = performance.now() - state.startedAt;
    state.failures = lived > STABLE_AFTER ? 0 : state.failures + 1;
    const delay = state.failures === 0 ? 0 : retryDelay(state.failures, RESTARTS);
    logger.error("worker {worker} ended ({ending}); restarting it", { worker, ending });
    state.restart = setTimeout(() => {
      this.#spawn(state);
      this.#start(state).catch((error) => {
        // The end of a process is logged where it is noticed.
        if (!this.#running || error instanceof WorkerError) return;
        logger.error("worker {worker} failed to start: {error}", { worker, error });
        state.process?.kill();
      });
    }, delay);
  }

  /**
   * Kills the worker when it hangs, since clients, the kernel and other workers wait for it. The
   * checks begin when others may wait for it, not with its start: migrations may take long. They end
   * with the beginning of a shutdown, which has a time limit of its own.
   */
  #checkHealth(state: WorkerState): void {
    const { process, worker, stopHealthChecks } = state;
    if (process === undefined || stopHealthChecks !== undefined || this.#closing) return;
    state.stopHealthChecks = startHealthChecks(systemClock, () => process.functions.ping(), () => {
      const message = "worker {worker} has not responded for 10 seconds; killing it";
      this.#options.logger.error(message, { worker });
      process.kill();
    });
  }

  async #close(state: WorkerState): Promise<void> {
    const { process, restart } = state;
    clearTimeout(restart);
    state.stopHealthChecks?.();
    state.stopHealthChecks = undefined;
    if (process === undefined) return;
    const kill = setTimeout(() => process.kill(), this.#options.shutdownTimeout + KILL_DELAY);
    try {
      // Rejects if the process ends meanwhile.
      const result = await Promise.race([process.functions.close(), process.ended]);
      process.end();
      await process.ended;
      if (typeof result !== "string") valueOf(result);
    } finally {
      clearTimeout(kill);
    }
  }
}
