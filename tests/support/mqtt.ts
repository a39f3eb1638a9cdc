/** What the tests of the mqtt connector share. */
import type { Buffer } from "node:buffer";
import { connect } from "node:net";
import { type IClientOptions, type IConnackPacket, type IPublishPacket, MqttClient } from "mqtt";
import { systemClock } from "../../src/base/clock.ts";
import { mqttConnector } from "../../src/connectors/mqtt/mod.ts";
import type { MqttWriteOptions } from "../../src/connectors/mqtt/publication.ts";
import type { ConnectorCluster } from "../../src/contract/cluster.ts";
import type { Connector, FlowEvent, WriteRequest } from "../../src/contract/connector.ts";
import { optionsOf } from "./config.ts";
import { flow, keepingLogger, type LogLine, type Made } from "./mq.ts";

/** Makes an mqtt connector from the text of its block. */
export async function makeMqtt(
  body: string,
  name = "devices",
  cluster?: ConnectorCluster,
): Promise<Made> {
  const log: LogLine[] = [];
  const options = await optionsOf(mqttConnector.fields, body);
  const connector = await mqttConnector.create(options, {
    name,
    logger: keepingLogger(log),
    clock: systemClock,
    constants: {},
    lookUp: () => ({}),
    ...(cluster !== undefined && { cluster }),
  });
  return { connector: connector as Required<Connector>, log };
}

/** A request to publish. */
export function send(
  target: string,
  payload: unknown,
  options: MqttWriteOptions & Readonly<Record<string, unknown>> = {},
): WriteRequest<MqttWriteOptions> {
  return { operation: undefined, target, payload, options, scope: {}, event: undefined };
}

/** What a plain client has got. */
export interface Got {
  readonly topic: string;
  readonly text: string;
  readonly qos: number;
  readonly retained: boolean;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A client, and what the broker said when it came. */
export type Plain = MqttClient & { readonly connack: IConnackPacket };

/** Connectors and plain clients of one test, which are all closed. Topics begin with `base`. */
export class MqttBench {
  readonly base = `weir-test/${crypto.randomUUID()}`;
  readonly url: string;
  readonly #made: Made[] = [];
  readonly #clients: MqttClient[] = [];

  constructor(url: string) {
    this.url = url;
  }

  /** A connector to the broker; `body` is more of its block. */
  async make(body = "", url = this.url, cluster?: ConnectorCluster): Promise<Made> {
    const made = await makeMqtt(`url = "${url}"\n${body}`, "devices", cluster);
    this.#made.push(made);
    return made;
  }

  /** One that consumes: flows by their operations below `base`. */
  async consume(
    body: string,
    flows: Readonly<Record<string, (event: FlowEvent) => unknown>>,
    url = this.url,
    cluster?: ConnectorCluster,
  ): Promise<Made> {
    const made = await this.make(body, url, cluster);
    for (const [operation, run] of Object.entries(flows)) {
      made.connector.subscribe(this.below(operation), flow(run));
    }
    await made.connector.start();
    await made.connector.consume();
    return made;
  }

  /** A topic or filter of this test; the group of a shared one stays in front. */
  below(topic: string): string {
    const [, share = "", rest = topic] = /^(\$share\/[^/]+\/)(.*)$/.exec(topic) ?? [];
    return `${share}${this.base}/${rest}`;
  }

  /** Another client of the broker. */
  async client(options: Partial<IClientOptions> = {}, url = this.url): Promise<Plain> {
    const { hostname: host, port } = new URL(url);
    const stream = () => connect({ host, port: Number(port), noDelay: true });
    const client = new MqttClient(stream as never, {
      protocolVersion: 5,
      clientId: `test-${crypto.randomUUID()}`,
      reconnectPeriod: 0,
      ...options,
    });
    this.#clients.push(client);
    const connack = await new Promise<IConnackPacket>((resolve, reject) => {
      client.once("connect", resolve);
      client.once("error", reject);
    });
    return Object.assign(client, { connack });
  }

  /** What comes to a filter from now on. */
  async hear(topic: string, options: Partial<IClientOptions> = {}): Promise<Got[]> {
    const client = await this.client(options);
    const got: Got[] = [];
    client.on("message", (topic: string, payload: Buffer, packet: IPublishPacket) => {
      const { qos, retain: retained, properties } = packet;
      const headers = { ...properties?.userProperties };
      got.push({ topic, text: payload.toString(), qos, retained, headers });
    });
    await client.subscribeAsync(this.below(topic), { qos: 2 });
    return got;
  }

  /** Ends everything. */
  async end(): Promise<void> {
    for (const { connector } of this.#made) await connector.close();
    for (const client of this.#clients) client.end(true);
  }
}

/** Ends a connector in good order. */
export async function shut(connector: Required<Connector>): Promise<void> {
  await connector.stop();
  await connector.drain();
  await connector.close();
}
