/** RabbitMQ to every client, and the same by a bare consumer with a plain loop. */
import { Buffer } from "node:buffer";
import { Connection } from "rabbitmq-client";
import { measurementOf } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import { openContest } from "./crowd-contest.ts";
import { baseline, type Extras, weir } from "./programs.ts";
import type { ServerSpec } from "../servers.ts";

const clients = 100;
const routingKey = "order.updated";
const url = Deno.env.get("BENCH_AMQP") ?? "amqp://guest:guest@127.0.0.1";

const specs: Readonly<Record<string, (extras: Extras) => ServerSpec>> = {
  "loop-node": (extras) => baseline("node", "node-rabbit.ts", extras),
  "weir-node": (extras) => weir("node", "bench/configs/rabbitmq", extras),
  "loop-deno": (extras) => baseline("deno", "deno-rabbit.ts", extras),
  "weir-deno": (extras) => weir("deno", "bench/configs/rabbitmq", extras),
  "loop-bun": (extras) => baseline("bun", "bun-rabbit.ts", extras),
  "weir-bun": (extras) => weir("bun", "bench/configs/rabbitmq", extras),
};

/** The scenario. */
export const scenario: Scenario = {
  name: "rabbitmq",
  title: "RabbitMQ to 100 clients",
  about: "Messages are published as fast as the broker takes them; the server consumes with " +
    `prefetch 10 and an ack for each message, and sends it to ${clients} clients, which compare ` +
    "what they get. The bare consumer is rabbitmq-client, as in Weir, with a loop of `ws` on Node " +
    "and Deno and of Bun's own sockets on Bun. The broker runs on whatever core is free.",
  unit: "µs CPU a delivery",
  contenders: Object.keys(specs).map((name) => ({ name, runtime: runtimeOf(name) })),
  bars: (["node", "deno", "bun"] as const).map((runtime) => ({
    of: `weir-${runtime}`,
    against: `loop-${runtime}`,
    figure: "efficiency",
    bound: 0.8,
  })),
  open,
};

async function open({ name }: Contender, bench: Bench): Promise<Contest> {
  const messages = bench.quick ? 500 : 2000;
  const publisher = await Publisher.open(`weir-bench-${crypto.randomUUID()}`);
  return await openContest({
    spec: specs[name]({ env: { BENCH_EXCHANGE: publisher.exchange, BENCH_AMQP: url } }),
    prepare: (crowd) => crowd.open(clients),
    round: async (crowd) =>
      measurementOf(
        await crowd.hear({
          first: 0,
          count: clients,
          messages,
          copy: `{"type":"message","data":${bodyOf("%n")}}`,
          send: () => publisher.send(messages),
        }),
      ),
    also: publisher,
  }, bench);
}

/** Publishes to its own exchange, which it deletes at the end. */
class Publisher implements AsyncDisposable {
  readonly exchange: string;
  readonly #rabbit: Connection;

  private constructor(exchange: string, rabbit: Connection) {
    this.exchange = exchange;
    this.#rabbit = rabbit;
  }

  /** @throws Error when no broker answers within five seconds. */
  static async open(exchange: string): Promise<Publisher> {
    const rabbit = new Connection({ url, connectionTimeout: 5_000 });
    rabbit.on("error", (error) => console.error(`the publisher: ${error}`));
    await rabbit.onConnect(5_000, true);
    await rabbit.exchangeDeclare({ exchange, type: "topic", durable: false });
    return new Publisher(exchange, rabbit);
  }

  /** One after the other, numbered from 0. */
  async send(messages: number): Promise<void> {
    const channel = await this.#rabbit.acquire();
    const to = { exchange: this.exchange, routingKey, contentType: "application/json" };
    for (let n = 0; n < messages; n++) {
      await channel.basicPublish(to, Buffer.from(bodyOf(String(n))));
    }
    await channel.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rabbit.exchangeDelete({ exchange: this.exchange });
    await this.#rabbit.close();
  }
}

function bodyOf(n: string): string {
  return `{"n":${n},"text":"The quick brown fox jumps over the lazy dog: one hundred bytes of news."}`;
}

function runtimeOf(name: string): "node" | "deno" | "bun" {
  return specs[name]({}).runtime as "node" | "deno" | "bun";
}
