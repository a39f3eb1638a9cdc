/** Starts and shuts down connectors and schedules, in an order in which no event is lost. */
import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/shown.ts";
import { withTimeout } from "../base/timeout.ts";
import type { Waiting } from "../base/waiting.ts";
import type { Cluster } from "../contract/cluster.ts";
import type { Connector, FlowEvent, FlowHandler } from "../contract/connector.ts";
import type { Group } from "../contract/instances.ts";
import type { Flow } from "../flow/mod.ts";
import type { FlowModel, ServiceModel } from "../model/mod.ts";
import { type Handover, type RunningSchedule, startSchedule } from "../flow/schedule.ts";
import { clientsOf, OTHER_INSTANCES, watchShutdown, watchStart, type Work } from "./progress.ts";

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
  /** What links the connectors with other instances. */
  readonly groups: readonly Group[];
  /** The group whose oldest instance runs the schedules; undefined where the workers decide. */
  readonly leader: Group | undefined;
}

/** Starts and shuts down all connectors. Each step waits for all of them, even if one fails. */
export class Lifecycle {
  readonly #parts: LifecycleParts;
  #schedules: readonly RunningSchedule[] = [];
  #started = false;
  #consumed = false;
  #closed: Promise<void> | undefined;

  /** Starts nothing yet. */
  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  get #endedFlows(): number {
    return this.#parts.flows.reduce((sum, { flow }) => sum + flow.ended, 0);
  }

  /** True once the shutdown has begun. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** True between the start and the shutdown. */
  get serving(): boolean {
    return this.#started && !this.closing;
  }

  /** What is at work at the moment. */
  get work(): Work {
    const flows = this.#parts.flows.reduce((sum, { flow }) => sum + flow.inFlight, 0);
    const counts = [...this.#parts.connectors.values()].map((one) => one.counts?.() ?? {});
    return { flows, clients: clientsOf(counts) };
  }

  /** Lets all connectors do what they can of their start while another service still runs. */
  async prepare(): Promise<void> {
    await this.#begin((connector) => connector.prepare?.());
  }

  /** Starts all connectors. They accept writes when this resolves. */
  async start(): Promise<void> {
    const { groups, connectors } = this.#parts;
    const waiting = watchStart(connectors);
    const joining = errorsOf(groups, (group) => waiting.add(OTHER_INSTANCES, group.start()));
    throwFirst(await joining.finally(() => waiting.end()));
    await this.#begin((connector) => connector.start?.());
    this.#started = true;
  }

  /** Does a step of the start, and says for which connectors it waits. */
  async #begin(act: Act): Promise<void> {
    const waiting = watchStart(this.#parts.connectors);
    const step: Act<Named> = ([name, connector]) => {
      const acting = act(connector);
      return acting && waiting.add(name, acting);
    };
    throwFirst(await errorsOf(this.#parts.connectors, step).finally(() => waiting.end()));
  }

  /** Starts to consume events, and starts the schedules. */
  async consume(): Promise<void> {
    this.#consumed = true;
    await this.#begin((connector) => connector.consume?.());
    const { cluster, leader } = this.#parts;
    if (leader !== undefined) {
      const mayRun = () => leader.mayLead;
      return leader.lead({
        begin: () => this.#continueSchedules(leader, mayRun),
        end: () => this.#stopSchedules(),
      });
    }
    if (cluster === undefined) return this.#startSchedules();
    await cluster.whenLeader(() => this.#continueSchedules(cluster));
  }

  async #stopSchedules(): Promise<void> {
    const ended = this.#schedules;
    this.#schedules = [];
    await Promise.all(ended.map((schedule) => schedule.stop()));
  }

  /** Continues the schedules of the previous leader. */
  async #continueSchedules(
    leader: Pick<Group | Cluster, "loadProgress" | "saveProgress">,
    mayRun?: () => boolean,
  ): Promise<void> {
    const scheduled = this.#parts.flows.filter(({ model }) => model.source.kind === "schedule");
    const names = scheduled.map(({ model }) => model.name);
    const found = await Promise.all(names.map((name) => leader.loadProgress(name)));
    if (this.closing) return;
    const last = new Map(names.map((name, index) => [name, found[index]]));
    this.#startSchedules((name) => ({
      last: last.get(name),
      save: (progress) => leader.saveProgress(name, progress),
      mayRun,
    }));
  }

  #startSchedules(handoverOf?: (flow: string) => Handover): void {
    this.#schedules = this.#parts.flows.flatMap(({ model: { name, source }, flow, handler }) => {
      if (source.kind !== "schedule") return [];
      const run = (at: Date) => handler.run(scheduleEvent(at));
      const logger = getLogger(["weir", "schedule", name]);
      const skipped = () => flow.skipped();
      const handover = handoverOf?.(name);
      return startSchedule(source.when, run, logger, this.#parts.clock, handover, skipped);
    });
  }

  /** Waits for events in flight, then closes everything. Later calls return the same promise. */
  close(): Promise<void> {
    return this.#closed ??= this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    // With several workers the supervisor says it, once for all of them.
    const waiting = this.#parts.cluster === undefined ? watchShutdown(() => this.work) : undefined;
    try {
      await this.#close(waiting);
    } finally {
      waiting?.end();
    }
  }

  async #close(waiting: Waiting<string> | undefined): Promise<void> {
    const { shutdownTimeout: whole, shutdownSpread } = this.#parts.service;
    const deadline = performance.now() + whole - share(TIME_FOR_EXIT, whole);
    const forClosing = share(TIME_FOR_CLOSING, whole);
    const forCloseFrames = share(TIME_FOR_CLOSE_FRAMES, whole);
    const forClients = forClosing +
      Math.min(shutdownSpread + forCloseFrames, whole * PART_FOR_CLIENTS);
    const errors: unknown[] = [];
    let ended = false;
    const step = async (name: string, reserve: number, act: Act): Promise<void> => {
      const acting = errorsOf(this.#parts.connectors, ([name, connector]) => {
        const closing = act(connector);
        return closing && (waiting?.add(name, closing) ?? closing);
      }).then((found) => {
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
    const scheduled = this.#stopSchedules();
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
    const parted = errorsOf(this.#parts.groups, (group) => group.close());
    parted.then(logAll);
    await isLate(parted, deadline - performance.now());
    for (const { flow } of this.#parts.flows) flow.close();
    ended = true;
    throwFirst(errors);
  }
}

function share({ most, part }: Reserve, whole: number): number {
  return Math.min(most, whole * part);
}

type Named = readonly [name: string, connector: Connector];

/** A step of one connector. */
type Act<Part = Connector> = (part: Part) => Promise<void> | undefined;

/** Whether a promise is still pending after `time` milliseconds. */
function isLate(promise: Promise<unknown>, time: number): Promise<boolean> {
  return withTimeout(promise.then(() => false), Math.max(0, time), () => true);
}

/** Runs a step on all parts in parallel. Returns the errors when all have ended. */
async function errorsOf<Part>(
  parts: Iterable<Part>,
  act: Act<Part>,
): Promise<readonly unknown[]> {
  const ends = await Promise.allSettled([...parts].map(async (part) => await act(part)));
  return ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []);
}

/** Throws the first error and logs the others. */
function throwFirst(errors: readonly unknown[]): void {
  logAll(errors.slice(1));
  if (errors.length > 0) throw errors[0];
}

function logAll(errors: readonly unknown[]): void {
  for (const error of errors) {
    const reason = messageOf(error);
    getLogger(["weir"]).error("another connector failed as well: {reason}", { reason });
  }
}

function scheduleEvent(at: Date): FlowEvent {
  const input = { scheduled_at: at.toISOString() };
  return { operation: "schedule", payload: input, input };
}
