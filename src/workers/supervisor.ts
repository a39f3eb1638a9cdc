/** Keeps the workers of a service running, and connects them. */
import { systemClock } from "../base/clock.ts";
import { retryDelay, type RetryDelays } from "../base/retry.ts";
import type { Logger } from "../contract/connector.ts";
import { WorkerError } from "../base/errors.ts";
import { valueOf } from "./failure.ts";
import { watch } from "./heartbeat.ts";
import { logRelayed } from "./log.ts";
import type { RuntimeCall, Started, StartOrder, Status } from "./messages.ts";
import { type Ending, WorkerProcess } from "./process.ts";
import { type Member, Switchboard } from "./switchboard.ts";

/** The delays before a worker that keeps ending is started again. */
const RESTARTS: RetryDelays = { delay: 100, maxDelay: 5_000, backoff: "exponential" };
/** One that has lived so long, in milliseconds, is started again at once. */
const LONG_ENOUGH = 10_000;
/** What workers get beyond the time that they take for their own end, in milliseconds. */
const PATIENCE = 2_000;

/** What a supervisor is made with. */
export interface SupervisorOptions {
  /** How many workers there are. */
  readonly workers: number;
  /** The URL of the runtime's entrypoint. */
  readonly entry: string;
  /** What each of them runs. */
  readonly order: Omit<StartOrder, "worker" | "leader">;
  /** Milliseconds that the end of a worker may take. */
  readonly shutdownTimeout: number;
  readonly logger: Logger;
}

/** The place of one worker, which one process after the other takes. */
interface Place {
  readonly worker: number;
  process: WorkerProcess | undefined;
  /** True from the end of its start on. */
  serves: boolean;
  status: Status;
  startedAt: number;
  /** How often in a row it ended soon after its start. */
  failures: number;
  restart: ReturnType<typeof setTimeout> | undefined;
  /** Ends the checks that the process answers. */
  unwatch: (() => void) | undefined;
}

/** The workers of one service. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #switchboard = new Switchboard();
  readonly #places: readonly Place[];
  /** Does what the service does only once; undefined while no worker serves. */
  #leader: Place | undefined;
  #ports: Readonly<Record<string, number>>;
  /** From the end of the start until the beginning of the end: a worker that ends is replaced. */
  #running = false;
  #closing = false;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#ports = options.order.ports;
    this.#places = Array.from({ length: options.workers }, (_, index): Place => ({
      worker: index + 1,
      process: undefined,
      serves: false,
      status: { counts: {}, health: {} },
      startedAt: 0,
      failures: 0,
      restart: undefined,
      unwatch: undefined,
    }));
    this.#leader = this.#places[0];
  }

  /**
   * Starts all workers: the first one alone, since it prepares databases and takes the ports.
   *
   * @throws {ConnectorError | WorkerError} One cannot start; all have been ended.
   */
  static async start(
    options: SupervisorOptions,
  ): Promise<{ readonly supervisor: Supervisor; readonly started: Started }> {
    const supervisor = new Supervisor(options);
    const [leader, ...others] = supervisor.#places;
    try {
      // The processes come up side by side.
      for (const place of supervisor.#places) supervisor.#spawn(place);
      const started = await supervisor.#start(leader);
      supervisor.#ports = started.ports;
      await Promise.all(others.map((place) => supervisor.#start(place)));
      const lost = supervisor.#places.find(({ serves }) => !serves);
      if (lost !== undefined) {
        throw new WorkerError(`worker ${lost.worker} ended before all of them served`);
      }
      supervisor.#running = true;
      return { supervisor, started };
    } catch (error) {
      // What else goes wrong is no news.
      await supervisor.close().catch(() => {});
      throw error;
    }
  }

  /** How the workers are; what they have last said, which is a second old at most. */
  get statuses(): readonly Status[] {
    return this.#places.map(({ status }) => status);
  }

  /**
   * Has one of the workers do something.
   *
   * @throws {ConnectorError | WorkerError} It could not, or there is no worker at the moment.
   */
  async call(method: RuntimeCall, args: readonly unknown[]): Promise<unknown> {
    const process = this.#places.find(({ serves }) => serves)?.process;
    if (process === undefined) throw new WorkerError("no worker serves at the moment");
    // As text: not every runtime's own JSON keeps all of it, such as half a surrogate pair.
    const text = JSON.stringify(args);
    const result = await Promise.race([process.functions.call(method, text), process.ended]);
    if (typeof result === "string") throw new WorkerError(`the worker has ended (${result})`);
    return valueOf(result);
  }

  /** Ends all workers, each in order; one that takes too long is killed. */
  async close(): Promise<void> {
    this.#running = false;
    this.#closing = true;
    const ends = await Promise.allSettled(this.#places.map((place) => this.#close(place)));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #spawn(place: Place): void {
    const member: Member = {
      hear: (said) => void process.functions.hear.asEvent(said),
      answer: (...question) => process.functions.answer(...question),
      caughtUp: () => process.functions.caughtUp(),
    };
    const service = this.#switchboard.join(member);
    const process: WorkerProcess = new WorkerProcess(this.#options.entry, {
      ...service,
      attend: () => {
        service.attend();
        this.#watch(place);
      },
      report: (status) => void (place.status = status),
      log: logRelayed,
    });
    place.process = process;
    place.startedAt = performance.now();
    void process.ended.then((ending) => {
      this.#switchboard.leave(member);
      this.#unwatch(place);
      place.process = undefined;
      place.serves = false;
      place.status = { counts: {}, health: { runtime: "has no process" } };
      if (!this.#running) return;
      if (this.#leader === place) this.#appoint();
      this.#replace(place, ending);
    });
  }

  async #start(place: Place): Promise<Started> {
    const { process, worker } = place;
    const { order } = this.#options;
    const ports = this.#ports;
    const result = await Promise.race([
      process?.functions.start({ ...order, ports, worker, leader: place === this.#leader }),
      process?.ended,
    ]);
    if (result === undefined || typeof result === "string") {
      throw new WorkerError(`worker ${worker} ended before it served (${result ?? "at once"})`);
    }
    const started = valueOf(result);
    place.serves = true;
    this.#watch(place);
    if (this.#running && this.#leader === undefined) this.#appoint();
    return started;
  }

  /** The oldest worker leads from now on. What was due while none served is not made up for. */
  #appoint(): void {
    const serving = this.#places.filter(({ serves }) => serves);
    const oldest = serving.sort((a, b) => a.startedAt - b.startedAt).at(0);
    this.#leader = oldest;
    if (oldest === undefined) return this.#switchboard.forgetProgress();
    this.#options.logger.info("worker {worker} leads now", { worker: oldest.worker });
    oldest.process?.functions.lead.asEvent().catch(() => {
      // It has ended meanwhile, and the next one follows.
    });
  }

  #replace(place: Place, ending: Ending): void {
    const { worker } = place;
    const lived = performance.now() - place.startedAt;
    place.failures = lived > LONG_ENOUGH ? 0 : place.failures + 1;
    const delay = place.failures === 0 ? 0 : retryDelay(place.failures, RESTARTS);
    this.#options.logger.error("worker {worker} has ended ({ending}); the next one starts", {
      worker,
      ending,
    });
    place.restart = setTimeout(() => {
      this.#spawn(place);
      this.#start(place).catch((error) => {
        // Of one that has ended is told already.
        if (!this.#running || error instanceof WorkerError) return;
        this.#options.logger.error("worker {worker} cannot start: {error}", { worker, error });
        place.process?.kill();
      });
    }, delay);
  }

  /**
   * Ends a worker that hangs: clients, the kernel and other workers wait for it. The checks begin
   * when others may wait for it, not with its start, which may take long, as migrations do. They end
   * with the beginning of a shutdown, which has another time limit.
   */
  #watch(place: Place): void {
    const { process, worker, unwatch } = place;
    if (process === undefined || unwatch !== undefined || this.#closing) return;
    place.unwatch = watch(systemClock, () => process.functions.caughtUp(), () => {
      this.#options.logger.error(
        "worker {worker} has not answered for ten seconds: it hangs and is ended",
        { worker },
      );
      process.kill();
    });
  }

  #unwatch(place: Place): void {
    place.unwatch?.();
    place.unwatch = undefined;
  }

  async #close(place: Place): Promise<void> {
    const { process, restart } = place;
    clearTimeout(restart);
    this.#unwatch(place);
    if (process === undefined) return;
    const killing = setTimeout(() => process.kill(), this.#options.shutdownTimeout + PATIENCE);
    try {
      // Rejected where the process ends meanwhile.
      const result = await Promise.race([process.functions.close(), process.ended]);
      process.disconnect();
      await process.ended;
      if (typeof result !== "string") valueOf(result);
    } finally {
      clearTimeout(killing);
    }
  }
}
