/** The connector under test: its type, and instances of it at work. */
import { type Clock, systemClock } from "../../base/clock.ts";
import { isObject } from "../../base/json.ts";
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type { Connector, FlowHandler, WriteRequest } from "../../contract/connector.ts";
import {
  type BlockProblem,
  type ConnectorType,
  defineConnector,
} from "../../contract/definition.ts";
import type { Group } from "../../contract/instances.ts";
import type { ConnectorModel, DestinationModel, Model } from "../../model/mod.ts";
import { loadConfig } from "../../runtime/load.ts";
import { hostOptions } from "../../server/files.ts";
import { needs, Seen, within } from "./failure.ts";
import { silent } from "./logger.ts";
import type { ConnectorTestOptions } from "./options.ts";
import { Outage } from "./outage.ts";

/** The type of the connector that the flows of the suite come from and go to. */
const PEER = "weir_suite";

/** How many milliseconds a step may take by default: below the limit of Bun's tests. */
const PATIENCE = 4_000;

const peer = defineConnector({
  fields: {},
  source: {},
  destination: { fields: {} },
  create: () => ({ write: () => undefined }),
});

/** What was read of the author's module and configuration. */
export interface Loaded {
  readonly definition: ConnectorType;
  readonly connector: ConnectorModel;
  /** The author's `to` block. */
  readonly to: DestinationModel | undefined;
  readonly model: Model;
}

/** The part of the options that a process of its own needs. */
export type SubjectOptions = Pick<ConnectorTestOptions, "module" | "type" | "config" | "patience">;

/** A connector type, and the configuration of one connector. */
export class Subject<O extends SubjectOptions = ConnectorTestOptions> {
  readonly options: O;
  /** How many milliseconds one step may take. */
  readonly patience: number;
  /** The rules that are known to be broken. What needs them is not tried, since it may take long. */
  readonly broken: Set<string> = new Set();
  /** Takes the service away. Does nothing if the author has not said how. */
  readonly outage: Outage;
  #loaded: Promise<Loaded> | undefined;

  constructor(options: O) {
    this.options = options;
    this.patience = options.patience ?? PATIENCE;
    this.outage = new Outage((options as Partial<ConnectorTestOptions>).outage);
  }

  /** The table of the module. */
  async table(): Promise<Readonly<Record<string, ConnectorType>>> {
    const { module } = this.options;
    const { default: table } = await import(String(module)) as { readonly default?: unknown };
    if (isObject(table)) return table as Readonly<Record<string, ConnectorType>>;
    throw new Seen(`the module ${module} has no default export that is a table of connectors`);
  }

  /** The type under test. */
  async definition(): Promise<ConnectorType> {
    const { module, type } = this.options;
    const table = await this.table();
    if (Object.hasOwn(table, type)) return table[type];
    const names = Object.keys(table).join(", ");
    throw new Seen(`the module ${module} has no connector type "${type}": it has ${names}`);
  }

  /** Reads a configuration as the author's would be read. */
  async read(config: string): Promise<Model> {
    const connectors = { ...await this.table(), [PEER]: peer };
    return await loadConfig(config, { ...hostOptions, connectors });
  }

  /** The author's configuration with the flows of the suite. Read once. */
  load(): Promise<Loaded> {
    return this.#loaded ??= this.#load();
  }

  async #load(): Promise<Loaded> {
    const { config, type } = this.options;
    const alone = await this.read(config);
    const connector = this.#find(alone);
    const definition = await this.definition();
    const model = await this.read(`${config}\n${this.#flows(connector.name, definition)}`);
    const to = model.flows.flatMap((flow) => flow.to)
      .find((one) => one.connector === connector.name);
    const found = model.connectors.get(connector.name);
    if (found === undefined) throw new Seen(`the configuration has no connector of type "${type}"`);
    return { definition, connector: found, to, model };
  }

  #find({ connectors }: Model): ConnectorModel {
    const { type } = this.options;
    const found = [...connectors.values()].find((one) => one.type === type);
    if (found !== undefined) return found;
    throw new Seen(`the configuration has no connector of type "${type}"`);
  }

  /** A flow to the connector, and one from it. */
  #flows(name: string, { source, destination }: ConnectorType): string {
    const { source: from, destination: to } = this.options as
      & SubjectOptions
      & Partial<Pick<ConnectorTestOptions, "source" | "destination">>;
    const operation = from?.operation === undefined ? "" : `operation = ${quote(from.operation)}`;
    const flows = [`connector "${PEER}" {\n type = "${PEER}"\n}`];
    if (destination !== undefined && to !== undefined) {
      flows.push(
        `flow "${PEER}_to" {\n from {\n connector = "${PEER}"\n }\n` +
          ` to {\n connector = ${quote(name)}\n ${to.to ?? ""}\n }\n}`,
      );
    }
    if (source !== undefined && from !== undefined) {
      flows.push(
        `flow "${PEER}_from" {\n from {\n connector = ${quote(name)}\n ${operation}\n }\n` +
          ` to {\n connector = "${PEER}"\n }\n}`,
      );
    }
    return flows.join("\n");
  }

  /** Makes a connector. It is not started. */
  async create(parts: InstanceParts = {}): Promise<Instance> {
    const loaded = await needs("configuration", () => this.load());
    return await Instance.create(loaded, this.patience, parts);
  }
}

/** What one instance has beside the author's configuration. */
export interface InstanceParts {
  readonly clock?: Clock;
  readonly cluster?: ConnectorCluster;
  /** What links it with other instances. */
  readonly group?: Group;
  /** Other options than those of the configuration. */
  readonly options?: unknown;
}

/** One connector at work. */
export class Instance {
  readonly name: string;
  readonly connector: Connector;
  readonly #loaded: Loaded;
  readonly #patience: number;

  private constructor(connector: Connector, loaded: Loaded, patience: number) {
    this.name = loaded.connector.name;
    this.connector = connector;
    this.#loaded = loaded;
    this.#patience = patience;
  }

  /** Makes a connector with the context that a runtime would pass. */
  static async create(loaded: Loaded, patience: number, parts: InstanceParts): Promise<Instance> {
    const { definition, connector: { name, options }, model: { constants } } = loaded;
    const context = {
      name,
      logger: silent,
      clock: parts.clock ?? systemClock,
      constants,
      lookUp: () => Promise.reject(new Error("the contract suite has no connectors to look up")),
      ...(parts.cluster && { cluster: parts.cluster }),
      ...(parts.group && { instances: parts.group.connector(name) }),
    };
    const connector = await within(
      "create()",
      () => definition.create(parts.options ?? options, context),
      patience,
    );
    return new Instance(connector, loaded, patience);
  }

  /** Subscribes a flow. */
  subscribe(operation: string | undefined, handler: FlowHandler): void {
    if (this.connector.subscribe === undefined) {
      throw new Seen("the type has a source, and the connector has no subscribe()");
    }
    this.connector.subscribe(operation, handler);
  }

  /** Starts it. */
  async start(): Promise<void> {
    await within("start()", () => this.connector.start?.(), this.#patience);
  }

  /** Lets it take events. */
  async consume(): Promise<void> {
    await within("consume()", () => this.connector.consume?.(), this.#patience);
  }

  /** Lets it look at its service, with the requests and flows of the configuration that name it. */
  async probe(): Promise<unknown> {
    const { source } = this.#loaded.model;
    const named = ({ connector }: { readonly connector: string }) => connector === this.name;
    const planned = await source.planned();
    const requests = planned.requests.filter(named).map(
      ({ problem, connector: _, ...request }) => ({ ...request, report: reporting(problem) }),
    );
    const sources = planned.sources.filter(named)
      .map(({ operation, problem }) => ({ operation, report: reporting(problem) }));
    return await within(
      "probe()",
      () => this.connector.probe?.(requests, sources),
      this.#patience,
    );
  }

  /** Writes a payload as the author's `to` block says. A failure is a rejection. */
  async write(payload: unknown): Promise<unknown> {
    if (this.connector.write === undefined) {
      throw new Seen("the type has a destination, and the connector has no write()");
    }
    return await this.connector.write(this.#requestFor(payload));
  }

  /** Writes payloads in a transaction. A failure is a rejection. */
  async transact(
    work: (write: (payload: unknown) => Promise<unknown>) => Promise<unknown>,
  ): Promise<unknown> {
    return await this.connector.transact?.((transaction) =>
      work(async (payload) => await transaction.write(this.#requestFor(payload)))
    );
  }

  #requestFor(payload: unknown): WriteRequest {
    const { to, model: { constants } } = this.#loaded;
    if (to === undefined) throw new Seen("the suite has no destination to write to");
    const scope = { constants, input: isObject(payload) ? payload : {}, output: payload };
    const { operation, options } = to;
    const target = to.target === undefined || typeof to.target === "string"
      ? to.target
      : String(to.target.evaluate(scope));
    return {
      ...{ operation, target, payload, options, scope },
      event: undefined,
      resultUsed: true,
    };
  }

  /** Closes it as a runtime does. */
  async shut(): Promise<void> {
    const { connector } = this;
    const step = (name: string, act: () => Promise<void> | undefined) =>
      within(`${name}()`, act, this.#patience);
    await step("stop", () => connector.stop?.());
    await step("drain", () => connector.drain?.());
    await step("closeClients", () => connector.closeClients?.(0));
    await step("drain", () => connector.drain?.());
    await step("close", () => connector.close?.());
  }
}

/** A text of the configuration's language. */
function quote(text: string): string {
  return JSON.stringify(text).replaceAll("${", "$${").replaceAll("%{", "%%{");
}

/** Takes what a probe reports, and looks whether it can be shown. */
function reporting(problem: (found: BlockProblem) => unknown): (found: BlockProblem) => void {
  return (found) => {
    const { message }: { readonly message: unknown } = found;
    if (typeof message !== "string" || message === "") {
      throw new Seen("probe() reported a problem without a message");
    }
    problem(found);
  };
}
