/** Redis as a broker: channels, or streams with a consumer group. */
import { hostname } from "node:os";
import process from "node:process";
import { ConnectorError } from "../../../../base/errors.ts";
import type { ProbeRequest, ProbeSource } from "../../../../contract/probe.ts";
import type {
  Broker,
  BrokerContext,
  Capabilities,
  Deliver,
  Publication,
} from "../../../../messaging/mod.ts";
import type { MqOptions } from "../../options.ts";
import { connect } from "./server/connecting.ts";
import { StreamConsumer } from "./server/consumer.ts";
import { describe, isFinal } from "./server/errors.ts";
import { Link, type LinkOptions, Outage } from "./server/link.ts";
import { CONSUMERS } from "./server/members.ts";
import { probe } from "./server/probe.ts";
import { Publisher } from "./server/publisher.ts";
import { Watch } from "./server/sentinel.ts";
import { Subscriber } from "./server/subscriber.ts";
import {
  type Address,
  addressOf,
  describeAddress,
  LONGEST_NAME,
  type Settings,
  settle,
} from "./settings.ts";

/** Makes connections to a Redis server. */
export function createBroker(options: MqOptions, context: BrokerContext): Broker {
  return new Redis(options, context);
}

/** What works on the connections. */
interface Parts {
  readonly link: Link;
  readonly outage: Outage;
  /** Undefined without Sentinels. */
  readonly watch: Watch | undefined;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber | undefined;
  readonly consumer: StreamConsumer | undefined;
}

class Redis implements Broker {
  readonly capabilities: Capabilities;
  readonly #settings: Settings;
  readonly #address: Address;
  readonly #context: BrokerContext;
  #parts: Parts | undefined;

  constructor(options: MqOptions, context: BrokerContext) {
    this.#settings = settle(options);
    this.#address = addressOf(options);
    this.#context = context;
    const keeps = this.#settings.group !== undefined;
    this.capabilities = { everyWorker: keeps, keeps, delays: true, longestKey: LONGEST_NAME };
  }

  /** A group takes no entry from anybody before somebody reads with it. */
  prepare(): Promise<void> {
    return this.open();
  }

  async open(): Promise<void> {
    if (this.#parts !== undefined) return;
    const parts = this.#makeParts();
    this.#parts = parts;
    await this.#judge(await parts.link.opened);
  }

  /** Throws a failure that another attempt cannot change; the link has logged any other. */
  async #judge(failure: unknown): Promise<void> {
    if (failure === undefined || !isFinal(failure)) return;
    await this.close();
    const options = { cause: failure, permanent: true };
    throw new ConnectorError(this.#context.name, `cannot start: ${describe(failure)}`, options);
  }

  probe(requests: readonly ProbeRequest[], sources: readonly ProbeSource[]): Promise<string> {
    const { name } = this.#context;
    return probe(name, { address: this.#address, settings: this.#settings }, requests, sources);
  }

  publish(message: Publication): Promise<void> {
    if (this.#parts === undefined) return Promise.reject(new Error("not connected"));
    return this.#parts.publisher.publish(message);
  }

  async consume(deliver: Deliver, takesOver: boolean): Promise<void> {
    const { consumer, subscriber } = this.#parts ?? {};
    const isAway = this.#parts?.link.client === undefined;
    await this.#judge(
      await (consumer?.start(deliver) ?? subscriber?.start(deliver, takesOver, isAway)),
    );
  }

  async stop(): Promise<void> {
    await this.#parts?.consumer?.stop();
    this.#parts?.subscriber?.stop();
  }

  /** What was heard of channels is nowhere else. */
  async drain(): Promise<void> {
    await this.#parts?.subscriber?.drain();
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts === undefined) return;
    parts.subscriber?.stop();
    await parts.consumer?.close();
    await parts.publisher.close();
    parts.link.close();
    parts.watch?.close();
  }

  health(): string | undefined {
    const { link, subscriber, consumer } = this.#parts ?? {};
    return link?.health ?? subscriber?.health ?? consumer?.health;
  }

  get reconnects(): number {
    return this.#parts?.outage.ends ?? 0;
  }

  counts(): Readonly<Record<string, number>> {
    const { subscriber, consumer } = this.#parts ?? {};
    return { gaps: subscriber?.gaps ?? 0, claimed: consumer?.claimed ?? 0 };
  }

  #makeParts(): Parts {
    const { name, logger, clock, lost, operations, mostRetries } = this.#context;
    const { group, prefetch } = this.#settings;
    const address = this.#address;
    const watch = address.sentinel === undefined
      ? undefined
      : new Watch(address, address.sentinel, logger);
    const outage = new Outage("broker", describeAddress(address), logger);
    const how: Pick<LinkOptions, "outage" | "open" | "expected"> = {
      outage,
      open: (signal) => connect(address, `weir:${name}`, signal),
      expected: () => watch?.place,
    };
    const reads = operations.length > 0;
    let consumer: StreamConsumer | undefined;
    const link: Link = new Link({
      ...how,
      prepare: async () => await consumer?.declare(),
    });
    if (group !== undefined && reads) {
      consumer = new StreamConsumer({
        operations,
        logger,
        clock,
        lost,
        mostRetries,
        settings: { ...this.#settings, group },
        link,
        reader: how,
        name: `${CONSUMERS}${hostname()}:${process.pid}:${crypto.randomUUID().slice(0, 8)}`,
      });
    }
    const subscriber = group === undefined && reads
      ? new Subscriber({ operations, logger, clock, lost, prefetch, link: how })
      : undefined;
    return {
      link,
      outage,
      watch,
      publisher: new Publisher(link, this.#settings),
      subscriber,
      consumer,
    };
  }
}
