/** Starts the processes of the workers, restarts those that end, and connects them to each other. */
import { systemClock } from "../base/clock.ts";
import { WorkerError } from "../base/errors.ts";
import { retryDelay, type RetryDelays } from "../base/retry.ts";
import { withTimeout } from "../base/timeout.ts";
import {
  Coordinator,
  newInstanceId,
  type RemoteMember,
  startHealthChecks,
} from "../cluster/mod.ts";
import type { Logger } from "../contract/connector.ts";
import { MemoryDedupeStore } from "../flow/dedupe.ts";
import { clientsOf, watchShutdown, type Work } from "../runtime/progress.ts";
import type { WorkerStatus } from "../server/status.ts";
import { LinkServer } from "./link-server.ts";
import { logRelayed } from "./log.ts";
import { WorkerProcess } from "./process.ts";
import { watchWorkers } from "./progress.ts";
import type { RunningWorker } from "./scrape.ts";
import type { RuntimeCall, Started, StartOrder, Status } from "./protocol.ts";
import { newState, withoutReport, type WorkerState } from "./state.ts";
import { valueOf } from "./wire.ts";

/** The delays before a worker that keeps ending is restarted. */
const RESTARTS: RetryDelays = { delay: 100, maxDelay: 5_000, backoff: "exponential" };
/** A worker that has run for this long, in milliseconds, is restarted without a delay. */
const STABLE_AFTER = 10_000;
/** How much longer than its own shutdown a worker may take to end, in milliseconds. */
const KILL_DELAY = 2_000;

/** How long after the end of its link a worker may take to end, in milliseconds. */
const END_DELAY = 1_000;

/** What a supervisor is made with. */
export interface SupervisorOptions {
  /** The number of workers. */
  readonly workers: number;
  /** The program and the arguments of a worker. */
  readonly command: readonly string[];
  /** What each worker runs. */
  readonly order: Omit<StartOrder, "worker" | "leader" | "instance" | "link">;
  /** Milliseconds that the shutdown of a worker may take. */
  readonly shutdownTimeout: number;
  readonly logger: Logger;
}

/** What the workers do. A worker that ends while they are running is restarted. */
export type Phase = "starting" | "running" | "closing";

/** The workers of one service. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #coordinator = new Coordinator({
    clock: systemClock,
    createDedupeStore: (maxKeys) => new MemoryDedupeStore(maxKeys),
  });
  readonly #workers: readonly WorkerState[];
  readonly #links: LinkServer;
  #ports: Readonly<Record<string, number>>;
  #phase: Phase = "starting";

  /** Starts nothing yet. */
  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#links = new LinkServer({
      clock: systemClock,
      onLost: (instance) => this.#warnOfLoss(instance),
      onBroken: (instance, reason) => this.#endBroken(instance, reason),
    });
    this.#ports = options.order.ports;
    this.#workers = Array.from({ length: options.workers }, (_, index) => newState(index + 1));
  }

  /**
   * Starts all workers: the first one alone, since it migrates databases and takes the ports.
   *
   * @throws {ConnectorError | WorkerError} A worker failed to start; all have been ended.
   */
  async start(): Promise<Started> {
    const [first, ...others] = this.#workers;
    const waiting = watchWorkers(this.#options.logger);
    const start = (state: WorkerState) => waiting.add(state.worker, this.#start(state));
    try {
      await this.#links.listen();
      // The processes load their code side by side.
      for (const state of this.#workers) this.#spawn(state);
      const started = await start(first);
      this.#ports = started.ports;
      await Promise.all(others.map(start));
      const lost = this.#workers.find(({ ready }) => !ready);
      if (lost !== undefined) {
        throw new WorkerError(`worker ${lost.worker} ended before all workers were ready`);
      }
      this.#phase = "running";
      return started;
    } catch (error) {
      // The first error is the one to report.
      await this.close().catch(() => {});
      throw error;
    } finally {
      waiting.end();
    }
  }

  /** The processes that run. */
  get running(): readonly RunningWorker[] {
    return this.#workers.flatMap(({ instance, process }) => process ? [{ instance, process }] : []);
  }

  /** What the workers do. */
  get phase(): Phase {
    return this.#phase;
  }

  /** What is at work in all workers, at most a second ago. */
  get work(): Work {
    const flows = this.statuses.reduce((sum, { flows }) => sum + flows, 0);
    const counts = this.statuses.flatMap(({ counts }) => Object.values(counts));
    return { flows, clients: clientsOf(counts) };
  }

  /** Whether each worker runs. */
  get workers(): readonly WorkerStatus[] {
    return this.#workers.map(({ worker, ready, restarts }) => ({
      worker,
      running: ready,
      restarts,
    }));
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
    const wasRunning = this.#phase === "running";
    this.#phase = "closing";
    const waiting = wasRunning ? watchShutdown(() => this.work) : undefined;
    const ends = await Promise.allSettled(this.#workers.map((state) => this.#close(state)));
    waiting?.end();
    await this.#links.close();
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
    };
    const process: WorkerProcess = new WorkerProcess(command, {
      ...this.#coordinator.join(member),
      listening: () => this.#checkHealth(state),
      report: (status) => void (state.status = status),
      log: logRelayed,
    });
    state.process = process;
    state.member = member;
    const instance = state.instance = newInstanceId();
    state.link = this.#links.admit(instance);
    state.startedAt = performance.now();
    void process.ended.then((ending) => {
      this.#coordinator.leave(member);
      this.#links.end(instance);
      state.stopHealthChecks?.();
      state.stopHealthChecks = undefined;
      state.process = undefined;
      state.member = undefined;
      state.link = undefined;
      state.ready = false;
      state.status = withoutReport({ runtime: "is not running" });
      if (this.#phase !== "running") return;
      this.#coordinator.elect();
      this.#restart(state, ending);
    });
  }

  async #start(state: WorkerState): Promise<Started> {
    const { process, member, worker, instance, link } = state;
    if (process === undefined || member === undefined || link === undefined) {
      throw new WorkerError(`worker ${worker} ended before it was ready`);
    }
    const leader = this.#coordinator.isLeader(member);
    const order = { ...this.#options.order, ports: this.#ports, worker, leader, instance, link };
    const result = await Promise.race([process.functions.start(order), process.ended]);
    if (typeof result === "string") {
      throw new WorkerError(`worker ${worker} ended before it was ready (${result})`);
    }
    const started = valueOf(result);
    state.ready = true;
    this.#coordinator.ready(member);
    this.#checkHealth(state);
    if (this.#phase === "running") this.#coordinator.elect();
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
      state.restarts++;
      this.#spawn(state);
      this.#start(state).catch((error) => {
        // The end of a process is logged where it is noticed.
        if (this.#phase !== "running" || error instanceof WorkerError) return;
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
    if (process === undefined || stopHealthChecks !== undefined || this.#phase === "closing") {
      return;
    }
    state.stopHealthChecks = startHealthChecks(systemClock, () => process.functions.ping(), () => {
      const message = "worker {worker} has not responded for 10 seconds; killing it";
      this.#options.logger.error(message, { worker });
      process.kill();
    });
  }

  /** A link can end before its process does. */
  async #endBroken(instance: string, reason: string): Promise<void> {
    const state = this.#workers.find((one) => one.instance === instance);
    const { process } = state ?? {};
    if (state === undefined || process === undefined) return;
    const ended = await withTimeout(process.ended, END_DELAY, () => undefined);
    if (ended !== undefined) return;
    const message = "the link of worker {worker} {reason}; killing it";
    this.#options.logger.error(message, { worker: state.worker, reason });
    process.kill();
  }

  #warnOfLoss(instance: string): void {
    const { worker } = this.#workers.find((one) => one.instance === instance) ?? {};
    const message = "worker {worker} does not read what the others send; leaving messages out";
    this.#options.logger.warn(message, { worker });
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
