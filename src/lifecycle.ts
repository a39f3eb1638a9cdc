/** The beginning and the end of a runtime's connectors and schedules, in the order in which nothing is lost. */
import { getLogger } from "@logtape/logtape";
import type { Connector, FlowEvent } from "./connector.ts";
import type { Flow } from "./flow.ts";
import type { FlowModel, Model } from "./model.ts";
import { type RunningSchedule, startSchedule } from "./schedule.ts";

/** How long `close` waits for flows in flight, in milliseconds. */
const SHUTDOWN_TIMEOUT = 30_000;

/** What is started and ended together. */
export interface LifecycleParts {
  readonly model: Model;
  /** By name. */
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly flows: readonly { readonly model: FlowModel; readonly flow: Flow }[];
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

  /** True from the beginning of the end on. */
  get closing(): boolean {
    return this.#closed !== undefined;
  }

  /** Gets everything ready to be written to. */
  async start(): Promise<void> {
    raise(await failures(this.#connectors(), (connector) => connector.start?.()));
  }

  /** Begins to take events. */
  async consume(): Promise<void> {
    raise(await failures(this.#connectors(), (connector) => connector.consume?.()));
    const logger = getLogger(["weir", "schedule"]);
    this.#schedules = this.#parts.flows.flatMap(({ model: { source }, flow }) => {
      if (source.kind !== "schedule") return [];
      return startSchedule(source.when, (at) => flow.run(scheduleEvent(at)), logger);
    });
  }

  /** Lets what is in flight end, then lets go of everything, once. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }

  async #close(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<readonly unknown[]>();
    const timer = setTimeout(() => {
      getLogger(["weir"]).error("flows are still running after {timeout} ms; ending all the same", {
        timeout: SHUTDOWN_TIMEOUT,
      });
      resolve([]);
    }, SHUTDOWN_TIMEOUT);
    const undrained = await Promise.race([this.#drain(), late]);
    clearTimeout(timer);
    const unclosed = await failures(this.#connectors(), (connector) => connector.close?.());
    raise([...undrained, ...unclosed]);
  }

  /** Clients come last: what is in flight elsewhere may still have something for them. */
  async #drain(): Promise<readonly unknown[]> {
    await Promise.all(this.#schedules.map((schedule) => schedule.stop()));
    const drain = (connector: Connector) => connector.drain?.();
    const others = await failures(this.#connectors(false), drain);
    return [...others, ...await failures(this.#connectors(true), drain)];
  }

  /** All, or those with clients, or those without. */
  #connectors(clients?: boolean): Connector[] {
    const { model, connectors } = this.#parts;
    return [...connectors].flatMap(([name, connector]) => {
      const has = model.connectors.get(name)?.definition.source?.clients ?? false;
      return clients === undefined || clients === has ? [connector] : [];
    });
  }
}

/** Lets all connectors act side by side; gives why which could not, once all have ended. */
async function failures(
  connectors: readonly Connector[],
  act: (connector: Connector) => Promise<void> | undefined,
): Promise<readonly unknown[]> {
  const ends = await Promise.allSettled(connectors.map(async (connector) => await act(connector)));
  return ends.flatMap((end) => end.status === "rejected" ? [end.reason] : []);
}

/** Throws the first of several failures, and logs the others. */
function raise(failures: readonly unknown[]): void {
  for (const error of failures.slice(1)) getLogger(["weir"]).error("and: {error}", { error });
  if (failures.length > 0) throw failures[0];
}

function scheduleEvent(at: Date): FlowEvent {
  const input = { scheduled_at: at.toISOString() };
  return { operation: "schedule", payload: input, input };
}
