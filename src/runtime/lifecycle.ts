/** The beginning and the end of a runtime's connectors and schedules, in the order in which nothing is lost. */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { withTimeout } from "../base/timeout.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { Connector, FlowEvent, FlowHandler } from "../contract/connector.ts";
import type { Flow } from "../flow/mod.ts";
import type { FlowModel, ServiceModel } from "../model/mod.ts";
import { type Handover, type RunningSchedule, startSchedule } from "../flow/schedule.ts";

/**
 * What one thing leaves of the time for an end to those after it: so many milliseconds, or so large
 * a part of the whole where that is less.
 */
interface Reserve {
  readonly most: number;
  readonly part: number;
}
/** A client that has been told may take so long to answer. */
const TIME_FOR_ANSWERS: Reserve = { most: 4_000, part: 1 / 4 };
/** Letting go of brokers and databases. */
const TIME_FOR_CLOSING: Reserve = { most: 2_000, part: 1 / 10 };
/** The listeners, and the end of the process. */
const TIME_AFTERWARDS: Reserve = { most: 250, part: 1 / 20 };
/** Clients take at most so much of the whole. */
const PART_FOR_CLIENTS = 1 / 2;

/** A flow and what hands its events to it. */
export interface RunnableFlow {
  readonly model: FlowModel;
  readonly flow: Flow;
  /** The flow itself, or what logs its events on their way. */
  readonly handler: FlowHandler;
}

/** What is started and ended together. */
export interface LifecycleParts {
  /** By name. */
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly flows: readonly RunnableFlow[];
  /** The time of schedules. */
  readonly clock: Clock;
  /** How long the end may take. */
  readonly service: ServiceModel;
  /** The other workers; undefined where there is one worker. */
  readonly cluster?: Cluster | undefined;
}

/** Starts and ends all connectors. Each step waits for all of them, whatever becomes of one. */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  #schedules: readonly RunningSchedule[] = [];
  #closed: Promise<void> | undefined;

  /** Starts nothing yet. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  get #connectors(): readonly Connector[] {
    return [...this.#parts.connectors.values()];
  }

  get #endedFlows(): number {
    return this.#parts.flows.reduce((sum, { flow }) => sum + flow.ended, 0);
  }

  /** True from the beginning of the end on. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** Gets everything ready to be written to. */
  async start(): Promise<void> {
    raise(await failures(this.#connectors, (connector) => connector.start?.()));
  }

  /** Begins to take events. */
  async consume(): Promise<void> {
    raise(await failures(this.#connectors, (connector) => connector.consume?.()));
    const { cluster } = this.#parts;
    if (cluster === undefined) return this.#startSchedules();
    await cluster.whenLeader(() => this.#takeSchedules(cluster));
  }

  /** Continues the schedules of the worker that has led before. */
  async #takeSchedules(cluster: Cluster): Promise<void> {
    const scheduled = this.#parts.flows.filter(({ model }) => model.source.kind === "schedule");
    const names = scheduled.map(({ model }) => model.name);
    const found = await Promise.all(names.map((name) => cluster.loadProgress(name)));
    if (this.closing) return;
    const last = new Map(names.map((name, index) => [name, found[index]]));
    this.#startSchedules((name) => ({
      last: last.get(name),
      save: (progress) => cluster.saveProgress(name, progress),
    }));
  }

  #startSchedules(handoverOf?: (flow: string) => Handover): void {
    const logger = getLogger(["weir", "schedule"]);
    this.#schedules = this.#parts.flows.flatMap(({ model: { name, source }, handler }) => {
      if (source.kind !== "schedule") return [];
      const run = (at: Date) => handler.run(scheduleEvent(at));
      return startSchedule(source.when, run, logger, this.#parts.clock, handoverOf?.(name));
    });
  }

  /** Lets what is in flight end, then lets go of everything, once. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const { shutdownTimeout: whole, shutdownSpread } = this.#parts.service;
    const deadline = performance.now() + whole - share(TIME_AFTERWARDS, whole);
    const forClosing = share(TIME_FOR_CLOSING, whole);
    const forAnswers = share(TIME_FOR_ANSWERS, whole);
    const forClients = forClosing + Math.min(shutdownSpread + forAnswers, whole * PART_FOR_CLIENTS);
    const problems: unknown[] = [];
    let over = false;
    const step = async (name: string, reserve: number, act: Act): Promise<void> => {
      const acting = failures(this.#connectors, act).then((found) => {
        if (over) logAll(found);
        else problems.push(...found);
      });
      const time = deadline - reserve - performance.now();
      if (await isLate(acting, time)) {
        getLogger(["weir"]).error("{step} is not done after its time; going on without it", {
          step: name,
        });
      }
    };
    const drain = async (reserve: number): Promise<void> => {
      // What a flow wrote before its end may be at work where there was nothing to wait for.
      let ended: number;
      do {
        ended = this.#endedFlows;
        await step("drain", reserve, (connector) => connector.drain?.());
      } while (this.#endedFlows !== ended && performance.now() < deadline - reserve);
    };
    const scheduled = Promise.all(this.#schedules.map((schedule) => schedule.stop()));
    await step("stop", forClients, (connector) => connector.stop?.());
    await isLate(scheduled, deadline - forClients - performance.now());
    await drain(forClients);
    // Flows of other workers may have something for the clients of this one.
    const others = this.#parts.cluster?.barrier("drained") ?? Promise.resolve();
    await isLate(others, deadline - forClients - performance.now());
    // Clients come last: what is in flight elsewhere may still have something for them.
    const left = deadline - forClosing - forAnswers - performance.now();
    const spread = Math.max(0, Math.min(shutdownSpread, left));
    await step("closeClients", forClosing, (connector) => connector.closeClients?.(spread));
    await drain(forClosing);
    await step("close", 0, (connector) => connector.close?.());
    for (const { flow } of this.#parts.flows) flow.close();
    over = true;
    raise(problems);
  }
}

function share({ most, part }: Reserve, whole: number): number {
  return Math.min(most, whole * part);
}

/** What one connector does in one step. */
type Act = (connector: Connector) => Promise<void> | undefined;

/** Whether a promise is still pending after so many milliseconds. */
function isLate(promise: Promise<unknown>, time: number): Promise<boolean> {
  return withTimeout(promise.then(() => false), Math.max(0, time), () => true);
}

/** Lets all connectors act side by side; gives why which could not, once all have ended. */
async function failures(
  connectors: readonly Connector[],
  act: Act,
): Promise<readonly unknown[]> {
  const ends = await Promise.allSettled(connectors.map(async (connector) => await act(connector)));
  return ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []);
}

/** Throws the first of several failures, and logs the others. */
function raise(failures: readonly unknown[]): void {
  logAll(failures.slice(1));
  if (failures.length > 0) throw failures[0];
}

function logAll(failures: readonly unknown[]): void {
  for (const error of failures) getLogger(["weir"]).error("and: {error}", { error });
}

function scheduleEvent(at: Date): FlowEvent {
  const input = { scheduled_at: at.toISOString() };
  return { operation: "schedule", payload: input, input };
}
