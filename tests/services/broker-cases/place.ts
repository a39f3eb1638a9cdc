/** One broker, as a case of the suite uses it: connectors from a configuration, and what they saw. */
import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import type {
  Connector,
  FlowEvent,
  FlowHandler,
  WriteRequest,
} from "../../../src/contract/connector.ts";
import { loadConfig } from "../../../src/runtime/load.ts";
import { type Recorder, recorder } from "../../support/log.ts";
import { flow, until } from "../../support/mq.ts";
import type { Headers, Kind, Names, Outside } from "./kind.ts";

/** Cases about one subject, by their names. They run at the same time. */
export type Topic = Readonly<Record<string, (place: Place) => Promise<void>>>;

/** How a connector is made for a case. */
export interface Making {
  /** Each flow with its operation, in the words of the case. `all` takes every event. */
  readonly flows?: readonly (readonly [string, FlowHandler | ((event: FlowEvent) => unknown)])[];
  /** 10 by default. */
  readonly prefetch?: number;
  /** Attributes of its dlq block. Ignored where there are no dead letters. */
  readonly dlq?: string;
  /** What it shares with others; the same for all connectors of a case by default. */
  readonly group?: string;
  /** In place of the attributes of its kind. */
  readonly attributes?: string;
}

/** A connector at work. */
export interface Made {
  readonly connector: Required<Connector>;
  readonly log: Recorder;
  /** Stops as a service does: takes no more, finishes what it has, and closes. */
  end(): Promise<void>;
}

/** The broker in memory waits on it, and has nothing else to wait for. */
const quickClock: Clock = {
  ...systemClock,
  after: (milliseconds, task) => systemClock.after(milliseconds / 50, task),
};

/** What one case has of a broker. */
export class Place {
  readonly kind: Kind;
  /** Whether the broker in memory plays it. */
  readonly played: boolean;
  readonly names: Names;
  /** Somebody else at the broker; undefined where it is played. */
  readonly outside: Outside | undefined;
  readonly #runtime = {};
  readonly #groups = new Set<string>();
  readonly #made: Made[] = [];
  readonly #gates: (() => void)[] = [];

  constructor(kind: Kind, outside: Outside | undefined) {
    this.kind = kind;
    this.played = outside === undefined;
    this.outside = outside;
    const id = `weir-test-${crypto.randomUUID().slice(0, 13)}`;
    this.names = { id, group: `${id}-group` };
  }

  /** Whether what fails for good is kept. */
  get keepsLetters(): boolean {
    return this.kind.letters !== undefined;
  }

  /** The key of the event with this name. */
  key(name: string): string {
    return this.kind.key(this.names, name);
  }

  /** What a flow asks for: the event with this name; `all` is every one. */
  operation(name: string): string {
    const { all } = this.kind;
    return name !== "all"
      ? this.key(name)
      : all === undefined
      ? this.key("order.new")
      : this.key(all);
  }

  /** Makes and starts a connector, which consumes if it has flows. */
  async make(
    { flows = [], prefetch = 10, dlq, group = this.names.group, attributes }: Making = {},
  ): Promise<Made> {
    const names = { ...this.names, group };
    this.#groups.add(group);
    const kept = this.keepsLetters ? dlq : undefined;
    const made = await this.#create(
      attributes ?? this.kind.attributes(names, { prefetch, dlq: kept }),
    );
    for (const [name, run] of flows) {
      made.connector.subscribe(this.operation(name), typeof run === "function" ? flow(run) : run);
    }
    await made.connector.start();
    await made.connector.consume();
    assert.equal(made.connector.health(), undefined);
    return made;
  }

  /** Collects the dead letters. */
  async letters(): Promise<FlowEvent[]> {
    assert.ok(this.kind.letters);
    const { attributes, operation } = this.kind.letters(this.names);
    const found: FlowEvent[] = [];
    const made = await this.#create(attributes);
    made.connector.subscribe(operation, flow((event) => found.push(event)));
    await made.connector.start();
    await made.connector.consume();
    return found;
  }

  /** Publishes an event. */
  async send(
    { connector }: Made,
    name: string,
    payload: unknown,
    options: { readonly headers?: Headers; readonly message_id?: string } = {},
  ): Promise<void> {
    const request: WriteRequest = {
      ...{ operation: undefined, target: this.key(name), payload, options },
      ...{ scope: {}, event: undefined },
    };
    await connector.write(request);
  }

  /** A promise for flows to wait for, and what ends it; the end of the case does, at the latest. */
  gate(): { readonly opened: Promise<void>; readonly open: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gates.push(resolve);
    return { opened: promise, open: resolve };
  }

  /** Closes all that is left, and removes it from the broker. */
  async close(): Promise<void> {
    for (const open of this.#gates) open();
    await Promise.all(this.#made.map((made) => made.end()));
    for (const group of this.#groups) await this.outside?.clear({ ...this.names, group });
  }

  async #create(attributes: string): Promise<Made> {
    const { driver } = this.kind;
    const block = `connector "mq" {\n type = "mq"\n driver = "${driver}"\n${attributes}\n}\n`;
    const { connectors } = await loadConfig(block);
    const found = connectors.get("mq");
    assert.ok(found);
    const { definition } = found;
    const options = this.played ? definition.test?.(found.options) : found.options;
    const log = recorder();
    const connector = await definition.create(options, {
      ...{
        name: "mq",
        logger: log.logger,
        clock: this.played ? quickClock : systemClock,
        constants: {},
      },
      runtime: this.#runtime,
      lookUp: () => ({}),
    }) as Required<Connector>;
    let ending: Promise<void> | undefined;
    const end = async () => {
      await connector.stop();
      await connector.drain();
      await connector.close();
    };
    const made = { connector, log, end: () => ending ??= end() };
    this.#made.push(made);
    return made;
  }
}

/** Waits until a counter has a value, and asserts that it does not pass it. */
export async function counted(
  { connector }: Made,
  name: string,
  value: number,
  limit?: number,
): Promise<void> {
  await until(`${name} = ${value}`, () => (connector.counts()[name] ?? 0) >= value, limit);
  assert.equal(connector.counts()[name], value, name);
}
