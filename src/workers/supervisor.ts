/** Keeps the workers of a service running, and connects them. */
import type { Logger } from "../connector.ts";
import { valueOf } from "./failure.ts";
import { logRelayed } from "./log.ts";
import type { RuntimeCall, Started, StartOrder, Status } from "./messages.ts";
import { type Ending, WorkerProcess } from "./process.ts";
import { type Member, Switchboard } from "./switchboard.ts";

/** Milliseconds before a worker that ended at once is started again; doubled each time. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 5_000;
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
  status: Status;
  startedAt: number;
  delay: number;
  restart: ReturnType<typeof setTimeout> | undefined;
}

/** The workers of one service. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #switchboard = new Switchboard();
  readonly #places: readonly Place[];
  #ports: Readonly<Record<string, number>>;
  #closing = false;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#ports = options.order.ports;
    this.#places = Array.from({ length: options.workers }, (_, index): Place => ({
      worker: index + 1,
      process: undefined,
      status: { counts: {}, troubles: {} },
      startedAt: 0,
      delay: 0,
      restart: undefined,
    }));
  }

  /**
   * Starts all workers: the first one alone, since it prepares databases and takes the ports.
   *
   * @throws {ConnectorError} One cannot start; all have been ended.
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
      return { supervisor, started };
    } catch (error) {
      supervisor.#closing = true;
      for (const { process } of supervisor.#places) process?.kill();
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
   * @throws {ConnectorError} It could not, or there is no worker at the moment.
   */
  async call(method: RuntimeCall, args: readonly unknown[]): Promise<unknown> {
    const place = this.#places.find(({ process }) => process !== undefined);
    if (place?.process === undefined) throw new Error("no worker is there at the moment");
    return valueOf(await place.process.functions.call(method, args));
  }

  /** Ends all workers, each in order; one that takes too long is killed. */
  async close(): Promise<void> {
    this.#closing = true;
    const ends = await Promise.allSettled(this.#places.map((place) => this.#close(place)));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }

  #spawn(place: Place): void {
    const member: Member = {
      hear: (said) => void process.functions.hear.asEvent(said),
      answer: (connector, message) => process.functions.answer(connector, message),
    };
    const process: WorkerProcess = new WorkerProcess(this.#options.entry, {
      ...this.#switchboard.join(member),
      report: (status) => void (place.status = status),
      log: logRelayed,
    });
    place.process = process;
    place.startedAt = performance.now();
    void process.ended.then((ending) => {
      this.#switchboard.leave(member);
      place.process = undefined;
      place.status = { counts: {}, troubles: { runtime: "has no process" } };
      if (!this.#closing) this.#replace(place, ending);
    });
  }

  async #start(place: Place): Promise<Started> {
    const { process, worker } = place;
    if (process === undefined) throw new Error(`worker ${worker} ended before it had started`);
    const { order } = this.#options;
    const ports = this.#ports;
    return valueOf(
      await process.functions.start({ ...order, ports, worker, leader: worker === 1 }),
    );
  }

  #replace(place: Place, ending: Ending): void {
    const { worker } = place;
    const lived = performance.now() - place.startedAt;
    place.delay = lived > LONG_ENOUGH ? 0 : Math.min(2 * place.delay || FIRST_DELAY, LONGEST_DELAY);
    this.#options.logger.error("worker {worker} has ended ({ending}); the next one starts", {
      worker,
      ending,
    });
    place.restart = setTimeout(() => {
      this.#spawn(place);
      this.#start(place).catch((error) => {
        if (this.#closing) return;
        this.#options.logger.error("worker {worker} cannot start: {error}", { worker, error });
        place.process?.kill();
      });
    }, place.delay);
  }

  async #close({ process, restart }: Place): Promise<void> {
    clearTimeout(restart);
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
