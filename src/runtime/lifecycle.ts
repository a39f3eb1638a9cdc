/** Starts and shuts down connectors and schedules, in an order in which no event is lost. */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { withTimeout } from "../base/timeout.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { Connector, FlowEvent, FlowHandler } from "../contract/connector.ts";
import type { Flow } from "../flow/mod.ts";
import type { FlowModel, ServiceModel } from "../model/mod.ts";
import { type Handover, type RunningSchedule, startSchedule } from "../flow/schedule.ts";

/** A part of the shutdown timeout that is reserved for later steps. */
interface Reserve {
  /** At most, in milliseconds. */
  readonly most: number;
  /** At most, as a part of the timeout. */
  readonly part: number;
}
/** For clients to return close frames. */
const TIME_FOR_CLOSE_FRAMES: Reserve = { most: 4_000, part: 1 / 4 };
/** For closing brokers and databases. */
const TIME_FOR_CLOSING: Reserve = { most: 2_000, part: 1 / 10 };
/** For closing the listeners and for the exit of the process. */
const TIME_FOR_EXIT: Reserve = { most: 250, part: 1 / 20 };
/** The part of the timeout that closing the clients may take at most. */
const PART_FOR_CLIENTS = 1 / 2;

/** A flow at work. */
export interface RunnableFlow {
  readonly model: FlowModel;
  readonly flow: Flow;
  /** The flow itself, or a wrapper that logs its events. */
  readonly handler: FlowHandler;
}

/** The parts of a runtime that are started and shut down together. */
export interface LifecycleParts {
  /** By name. */
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly flows: readonly RunnableFlow[];
  /** For schedules. */
  readonly clock: Clock;
  /** For the time limits of the shutdown. */
  readonly service: ServiceModel;
  /** The other workers of the service; undefined without any. */
  readonly cluster?: Cluster | undefined;
}

/** Starts and shuts down all connectors. Each step waits for all of them, even if one fails. */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  #schedules: readonly RunningSchedule[] = [];
  #consumed = false;
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

  /** True once the shutdown has begun. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** Lets all connectors do what they can of their start while another service still runs. */
  async prepare(): Promise<void> {
    throwFirst(await errorsOf(this.#connectors, (connector) => connector.prepare?.()));
  }

  /** Starts all connectors. They accept writes when this resolves. */
  async start(): Promise<void> {
    throwFirst(await errorsOf(this.#connectors, (connector) => connector.start?.()));
  }

  /** Starts to consume events, and starts the schedules. */
  async consume(): Promise<void> {
    this.#consumed = true;
    throwFirst(await errorsOf(this.#connectors, (connector) => connector.consume?.()));
    const { cluster } = this.#parts;
    if (cluster === undefined) return this.#startSchedules();
    await cluster.whenLeader(() => this.#continueSchedules(cluster));
  }

  /** Continues the schedules of the previous leader. */
  async #continueSchedules(cluster: Cluster): Promise<void> {
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

  /** Waits for events in flight, then closes everything. Later calls return the same promise. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const { shutdownTimeout: whole, shutdownSpread } = this.#parts.service;
    const deadline = performance.now() + whole - share(TIME_FOR_EXIT, whole);
    const forClosing = share(TIME_FOR_CLOSING, whole);
    const forCloseFrames = share(TIME_FOR_CLOSE_FRAMES, whole);
    const forClients = forClosing +
      Math.min(shutdownSpread + forCloseFrames, whole * PART_FOR_CLIENTS);
    const errors: unknown[] = [];
    let ended = false;
    const step = async (name: string, reserve: number, act: Act): Promise<void> => {
      const acting = errorsOf(this.#connectors, act).then((found) => {
        if (ended) logAll(found);
        else errors.push(...found);
      });
      const time = deadline - reserve - performance.now();
      if (await isLate(acting, time)) {
        getLogger(["weir"]).error("shutdown step {step} timed out; continuing", { step: name });
      }
    };
    const drain = async (reserve: number): Promise<void> => {
      // A flow that has ended may have written to a connector that had nothing in flight before.
      let before: number;
      do {
        before = this.#endedFlows;
        await step("drain", reserve, (connector) => connector.drain?.());
      } while (this.#endedFlows !== before && performance.now() < deadline - reserve);
    };
    const scheduled = Promise.all(this.#schedules.map((schedule) => schedule.stop()));
    await step("stop", forClients, (connector) => connector.stop?.());
    await isLate(scheduled, deadline - forClients - performance.now());
    await drain(forClients);
    // Flows of other workers may still send to the clients of this one. After a failed start it has
    // none, and the others may never have started.
    const cluster = this.#consumed ? this.#parts.cluster : undefined;
    const others = cluster?.barrier("drained") ?? Promise.resolve();
    await isLate(others, deadline - forClients - performance.now());
    // Clients are closed last, since events in flight may still send to them.
    const left = deadline - forClosing - forCloseFrames - performance.now();
    const spread = Math.max(0, Math.min(shutdownSpread, left));
    await step("close clients", forClosing, (connector) => connector.closeClients?.(spread));
    await drain(forClosing);
    await step("close", 0, (connector) => connector.close?.());
    for (const { flow } of this.#parts.flows) flow.close();
    ended = true;
    throwFirst(errors);
  }
}

function share({ most, part }: Reserve, whole: number): number {
  return Math.min(most, whole * part);
}

/** A step of one connector. */
type Act = (connector: Connector) => Promise<void> | undefined;

/** Whether a promise is still pending after `time` milliseconds. */
function isLate(promise: Promise<unknown>, time: number): Promise<boolean> {
  return withTimeout(promise.then(() => false), Math.max(0, time), () => true);
}

/** Runs a step on all connectors in parallel. Returns the errors when all have ended. */
async function errorsOf(
  connectors: readonly Connector[],
  act: Act,
): Promise<readonly unknown[]> {
  const ends = await Promise.allSettled(connectors.map(async (connector) => await act(connector)));
  return ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []);
}

/** Throws the first error and logs the others. */
function throwFirst(errors: readonly unknown[]): void {
  logAll(errors.slice(1));
  if (errors.length > 0) throw errors[0];
}

function logAll(errors: readonly unknown[]): void {
  for (const error of errors) {
    getLogger(["weir"]).error("another connector failed as well: {error}", { error });
  }
}

function scheduleEvent(at: Date): FlowEvent {
  const input = { scheduled_at: at.toISOString() };
  return { operation: "schedule", payload: input, input };
}
