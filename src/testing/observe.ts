/** Wraps the connectors of a test, and records their requests and the flows that fail. */
import type {
  Connector,
  FlowEvent,
  FlowHandler,
  Transaction,
  WriteRequest,
} from "../contract/connector.ts";
import { ConnectorError, FlowError } from "../base/errors.ts";
import type { ConnectorModel, Model } from "../model/mod.ts";
import type { Activity } from "./activity.ts";
import { amend } from "./amend.ts";
import { WatchedClock } from "./clock.ts";
import type { Mocks } from "./mocks.ts";
import type { Players } from "./players.ts";
import type { Occurrence, Records } from "./records.ts";

/** The subscription of one flow. */
export interface Subscription {
  readonly operation: string | undefined;
  /** The flow, with its failures recorded. */
  readonly handler: FlowHandler;
}

/** One connector under test. */
export interface Observed {
  readonly model: ConnectorModel;
  /** The connector itself: requests made here are not recorded. */
  readonly connector: Connector;
  readonly subscriptions: readonly Subscription[];
  /** Whether it uses the service that the configuration names. */
  readonly isReal: boolean;
}

/** Is told what a test goes through. */
export interface CoverageSink {
  /** A flow takes an event. */
  ran(flow: string): void;
  /** A rule of a connector has let somebody in, or has not. */
  decided(connector: string, rule: string, enters: boolean): void;
}

/** What an observer uses. */
export interface ObserverContext {
  readonly records: Records;
  readonly activity: Activity;
  readonly mocks: Mocks;
  /** Undefined if nobody asks. */
  readonly coverage: CoverageSink | undefined;
  /** Whether connectors use the services that the configuration names, where their types can. */
  readonly real: boolean;
  /** Takes note of what answers for these services. */
  readonly players: Pick<Players, "add">;
}

/** Observes the connectors of one test. */
export class Observer {
  /** By name, once the runtime has been assembled. */
  readonly connectors: Map<string, Observed> = new Map();
  /** The number of flows that are deciding whether a client may connect. */
  deciding = 0;
  /** Called with the next event of a connector, by the name of the connector. */
  readonly arrivals: Map<string, (event: FlowEvent) => void> = new Map();
  readonly #records: Records;
  readonly #activity: Activity;
  readonly #mocks: Mocks;
  readonly #coverage: CoverageSink | undefined;
  readonly #real: boolean;
  readonly #players: Pick<Players, "add">;
  /** The names of steps, by the options of their requests. */
  readonly #steps: ReadonlyMap<unknown, string>;
  /** The flow that answers an event: the first that takes it. */
  readonly #answering = new WeakMap<FlowEvent, FlowHandler>();

  /** Observes the connectors of `model`. */
  constructor(
    model: Model,
    { records, activity, mocks, coverage, real, players }: ObserverContext,
  ) {
    this.#real = real;
    this.#players = players;
    this.#coverage = coverage;
    this.#records = records;
    this.#activity = activity;
    this.#mocks = mocks;
    this.#steps = new Map(
      [
        ...model.flows.flatMap(({ accept, steps }) => [...accept?.steps ?? [], ...steps]),
        ...[...model.connectors.values()].flatMap(({ lookups }) => lookups),
      ].map(({ options, name }) => [options, name]),
    );
  }

  /** The connector that `assembleRuntime` is to create in its place. */
  observe(model: ConnectorModel): ConnectorModel {
    const { name, definition, options } = model;
    const isReal = this.#real && definition.testReal !== undefined;
    const create: ConnectorModel["definition"]["create"] = async (options, context) => {
      const clock = new WatchedClock(context.clock, () => this.#activity.touch());
      // A connector that cannot run in tests only subscribes and asks the mocks.
      const runs = isReal || definition.test !== undefined;
      const connector = !runs ? {} : await definition.create(options, {
        ...context,
        clock,
        observe: (label, enters) => this.#coverage?.decided(name, label, enters),
        played: (played) => this.#players.add(name, played),
      });
      const subscriptions: Subscription[] = [];
      this.connectors.set(name, { model, connector, subscriptions, isReal });
      return amend(connector, this.#members(model, connector, clock, subscriptions));
    };
    return {
      ...model,
      options: (isReal ? definition.testReal : definition.test)?.(options) ?? options,
      definition: amend(definition, { create }),
    };
  }

  #members(
    model: ConnectorModel,
    connector: Connector,
    clock: WatchedClock,
    subscriptions: Subscription[],
  ): Partial<Connector> {
    const { name, definition } = model;
    const isWaiting = () => clock.isAwaited;
    const track = <T>(value: T): T => this.#activity.track(`connector "${name}"`, value, isWaiting);
    const { dedupeStore: store } = connector;
    const asked = definition.destination ?? definition.step ?? connector.write;
    return {
      subscribe: (operation, flow) => {
        const handler = this.#watch(model, flow);
        subscriptions.push({ operation, handler });
        connector.subscribe?.(operation, handler);
      },
      ...(asked && {
        write: (request: WriteRequest) => {
          // After the end, so that flows which start each other stop.
          if (this.#records.ended) return undefined;
          this.#record(name, request);
          const answer = this.#answerTo(name, request);
          return answer === undefined ? track(this.#write(model, connector, request)) : answer();
        },
      }),
      ...(definition.destination?.transactions && {
        transact: (work) => this.#transact(model, connector, work, isWaiting),
      }),
      ...(store && {
        dedupeStore: {
          has: (...key) => track(store.has(...key)),
          add: (...key) => track(store.add(...key)),
          prepare: (now) => track(store.prepare?.(now)),
          answer: (...key) => track(store.answer?.(...key)),
        },
      }),
    };
  }

  /**
   * Runs a transaction. Its requests are recorded, and mocks answer them one by one. A connector that
   * does not run has no other answers.
   */
  #transact<T>(
    model: ConnectorModel,
    connector: Connector,
    work: (transaction: Transaction) => T | PromiseLike<T>,
    isWaiting: () => boolean,
  ): PromiseLike<T> {
    const { name } = model;
    let requests: (Occurrence | undefined)[] = [];
    let delays = 0;
    const answered = (answer: unknown): unknown => {
      if (!(answer instanceof Promise)) return answer;
      delays++;
      this.#activity.touch();
      return answer.finally(() => delays--);
    };
    const inside = (transaction?: Transaction): T | PromiseLike<T> => {
      // The connector repeats it.
      this.#records.withdraw(requests);
      requests = [];
      return work({
        write: (request) => {
          if (this.#records.ended) return undefined;
          requests.push(this.#record(name, request));
          const answer = this.#answerTo(name, request);
          if (answer !== undefined) return answered(answer());
          return transaction === undefined
            ? this.#write(model, connector, request)
            : this.#records.watchMocks(() => transaction.write(request));
        },
        dedupeKeys: transaction?.dedupeKeys,
      });
    };
    const ended = connector.transact === undefined || this.#records.ended
      ? (async () => await inside())()
      : connector.transact(inside);
    const waits = () => isWaiting() || delays > 0;
    return this.#activity.track(`connector "${name}"`, ended, waits);
  }

  #record(
    connector: string,
    { operation, target, payload, options }: WriteRequest,
  ): Occurrence | undefined {
    const step = this.#steps.get(options);
    return this.#records.add(connector, { step, operation, target, data: payload });
  }

  /** The mock that answers a request. */
  #answerTo(
    connector: string,
    { operation, target, options }: WriteRequest,
  ): (() => unknown) | undefined {
    return this.#mocks.find({ connector, step: this.#steps.get(options), operation, target });
  }

  #write({ name, type, definition }: ConnectorModel, connector: Connector, request: WriteRequest) {
    if (connector.write !== undefined) {
      return this.#records.watchMocks(() => connector.write?.(request));
    }
    if (definition.test === undefined) {
      this.#records.mistake(
        `connector "${name}" (${type}) does not run in tests and no mock answers ${shown(request)}`,
      );
    }
    throw new ConnectorError(name, "does not run in tests", { permanent: true });
  }

  /** The flow, with its starts and failures observed. */
  #watch({ name, definition: { source } }: ConnectorModel, flow: FlowHandler): FlowHandler {
    const answers = source?.kind === "clients" || source?.kind === "requests";
    const fail = (error: unknown, event: FlowEvent, answering: boolean): void => {
      if (!(error instanceof FlowError)) return;
      this.#records.fail({ connector: name, flow: flow.flow, error, event, answering });
    };
    const watch = <T>(event: FlowEvent, act: () => T, refuses = false): T => {
      const failed = (error: unknown): void => {
        const answering = answers && (refuses || this.#answering.get(event) === flow);
        fail(error, event, answering);
      };
      this.#activity.touch();
      this.#coverage?.ran(flow.flow);
      try {
        const result = act();
        if (result instanceof Promise) void result.then(() => this.#activity.touch(), failed);
        return result;
      } catch (error) {
        failed(error);
        throw error;
      }
    };
    const first = (event: FlowEvent): void => {
      if (!this.#answering.has(event)) this.#answering.set(event, flow);
    };
    return amend(flow, {
      takes: (event) => {
        this.arrivals.get(name)?.(event);
        try {
          const taken = flow.takes(event);
          if (taken) first(event);
          return taken;
        } catch (error) {
          first(event);
          fail(error, event, answers && this.#answering.get(event) === flow);
          throw error;
        }
      },
      run: (event) => watch(event, () => flow.run(event)),
      ...(flow.accept && {
        accept: (event: FlowEvent) => {
          const answer = watch(event, () => flow.accept?.(event), true);
          if (answer instanceof Promise) {
            const end = () => void this.deciding--;
            this.deciding++;
            void answer.then(end, end);
          }
          return answer;
        },
      }),
    });
  }
}

/** A request in a few words. */
function shown({ operation, target }: WriteRequest): string {
  const words = [operation, target].filter((word) => word !== undefined);
  return words.length === 0 ? "the request" : `"${words.join(" ")}"`;
}
