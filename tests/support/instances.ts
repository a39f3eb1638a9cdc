/** Several instances of one service, each a process behind a proxy of its own before the broker. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { NatsServer } from "./nats.ts";
import type { OwnServer } from "./own-server.ts";
import { openStage, type Stage, type Weir } from "./process.ts";
import { Proxy } from "./proxy.ts";
import { RabbitServer } from "./rabbitmq.ts";
import { RedisServer } from "./redis.ts";
import { handshakeText, type Message, SocketClient } from "./socket-client.ts";
import { until } from "./socket-probe.ts";
import type { Tool } from "./toolchain.ts";

/** A broker that links instances. */
export interface BackplaneKind {
  readonly driver: "redis" | "nats" | "rabbitmq";
  /** Whether the instances can share what `dedupe` knows. */
  readonly keeps: boolean;
  /** Whether they can share the history of rooms. */
  readonly remembers: boolean;
  /** Starts a server of the test's own. */
  open(): Promise<OwnServer>;
}

/** Every kind. */
export const backplaneKinds: readonly BackplaneKind[] = [
  { driver: "redis", keeps: true, remembers: true, open: () => RedisServer.open() },
  { driver: "nats", keeps: true, remembers: false, open: () => NatsServer.open() },
  { driver: "rabbitmq", keeps: false, remembers: false, open: () => RabbitServer.open() },
];

/** The connector that is the backplane; each instance gets the port of its proxy. */
export function busOf({ driver }: Pick<BackplaneKind, "driver">): string {
  return `
    connector "bus" {
      type   = "mq"
      driver = "${driver}"
      host   = env("BUS_HOST")
      port   = env("BUS_PORT")
    }
  `;
}

/** One process of the service. */
export interface Instance {
  readonly runtime: Tool;
  readonly weir: Weir;
  /** Where its clients find it. */
  readonly host: string;
  /** Between it and the broker. */
  readonly proxy: Proxy;
}

/** How an instance is started. */
export interface InstanceOptions {
  /** The configuration; that of the service by default. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Words before its command. */
  readonly before?: readonly string[];
  /** Where its clients find it; this machine by default. */
  readonly host?: string;
}

/** What a service needs of the broker between its instances. */
export type BrokerOfService = Pick<OwnServer, "port" | "start" | "stop" | "kill" | "restart">;

/** A service of several instances, and the broker between them. */
export class InstancesOfService {
  readonly broker: BrokerOfService;
  readonly #config: string;
  readonly #stages: Stage[] = [];
  readonly #proxies: Proxy[] = [];
  readonly #members: Member[] = [];
  #files = 0;

  private constructor(broker: BrokerOfService, config: string) {
    this.broker = broker;
    this.#config = config;
  }

  /** Calls `run` with a service without instances, and ends all that it has started. */
  static async with(
    broker: BrokerOfService,
    config: string,
    run: (service: InstancesOfService) => Promise<void>,
  ): Promise<void> {
    const service = new InstancesOfService(broker, config);
    try {
      await run(service);
    } finally {
      await service.#end();
    }
  }

  /** Starts an instance. */
  async start(
    runtime: Tool,
    { config, env, before = [], host = "127.0.0.1" }: InstanceOptions = {},
  ): Promise<Instance> {
    const proxy = await Proxy.open(this.broker.port);
    this.#proxies.push(proxy);
    const stage = await openStage(runtime);
    this.#stages.push(stage);
    const file = join(stage.folder, `service-${++this.#files}.hcl`);
    await writeFile(file, config ?? this.#config);
    const bus = { BUS_HOST: "127.0.0.1", BUS_PORT: String(proxy.port) };
    const weir = await stage.run([file], { before, env: { ...bus, ...env } });
    return { runtime, weir, host, proxy };
  }

  /** Starts one on each of these. */
  async startAll(runtimes: readonly Tool[]): Promise<readonly Instance[]> {
    return await Promise.all(runtimes.map((runtime) => this.start(runtime)));
  }

  /** Connects a client, and joins rooms. */
  async connect(
    instance: Instance,
    { user, params = {}, rooms = [], resync }: {
      readonly user?: string;
      readonly params?: Readonly<Record<string, string>>;
      readonly rooms?: readonly string[];
      readonly resync?: boolean;
    } = {},
  ): Promise<Member> {
    const query = new URLSearchParams({ ...params, ...(user !== undefined && { user_id: user }) });
    const member = await Member.connect(instance, query);
    this.#members.push(member);
    await Promise.all(rooms.map((room) => member.join(room, resync)));
    return member;
  }

  async #end(): Promise<void> {
    for (const member of this.#members) member.leave();
    for (const proxy of this.#proxies) proxy.close();
    await Promise.all(this.#stages.map((stage) => stage.end()));
  }
}

/** A client that keeps what it hears. */
export class Member {
  /** What it has heard beside answers, in order. */
  readonly heard: Message[] = [];
  /** When it has heard each of these, in milliseconds. */
  readonly times: number[] = [];
  /** How its connection ended; undefined while it is open. */
  ended: { readonly code: number; readonly reason: string } | undefined;
  /** When that was, in milliseconds. */
  endedAt: number | undefined;
  readonly #client: SocketClient;
  readonly #answers = new Map<unknown, (answer: Message) => void>();
  #ids = 0;

  private constructor(client: SocketClient) {
    this.#client = client;
  }

  /** Connects to an instance. */
  static async connect(
    { weir, host }: Pick<Instance, "weir" | "host">,
    query: URLSearchParams,
  ): Promise<Member> {
    const client = await SocketClient.connect(weir.port, { host });
    client.write(handshakeText(`/ws?${query}`));
    await client.upgraded();
    const member = new Member(client);
    void member.#read();
    return member;
  }

  /** The data of the messages it has heard, in order. */
  get data(): unknown[] {
    return this.heard.filter(({ type }) => type === "message").map(({ data }) => data);
  }

  /** Sends a frame with an id. Returns its answer, `ack` or `error`. */
  ask(frame: Message): Promise<Message> {
    if (this.ended !== undefined) return Promise.resolve({ type: "ended" });
    const id = ++this.#ids;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#client.say({ ...frame, id });
    });
  }

  /** Sends a frame that must be acknowledged. */
  async say(frame: Message): Promise<Message> {
    const answer = await this.ask(frame);
    assert.equal(answer.type, "ack", JSON.stringify(answer));
    return answer;
  }

  /** Sends a frame without an id. */
  tell(frame: Message): void {
    this.#client.say(frame);
  }

  /** Joins a room. */
  async join(room: string, resync?: boolean): Promise<void> {
    await this.say({ type: "join_room", room, ...(resync && { resync }) });
  }

  /** Waits until it has heard these data, whatever else it has heard. */
  async hears(...expected: readonly unknown[]): Promise<void> {
    const wanted = expected.map((one) => JSON.stringify(one));
    await until(`${wanted}`, () => {
      const texts = new Set(this.data.map((one) => JSON.stringify(one)));
      return wanted.every((one) => texts.has(one));
    });
  }

  /** Leaves without a word. */
  leave(): void {
    this.#client.destroy();
  }

  async #read(): Promise<void> {
    this.ended = await this.#client.each((message) => {
      const { id, type } = message;
      const answer = type === "ack" || type === "error" ? this.#answers.get(id) : undefined;
      if (answer === undefined) {
        this.heard.push(message);
        this.times.push(performance.now());
      } else {
        this.#answers.delete(id);
        answer(message);
      }
    });
    this.endedAt = performance.now();
    // Nobody answers any more.
    for (const answer of this.#answers.values()) answer({ type: "ended" });
    this.#answers.clear();
  }
}

/** The status of a path that an instance answers. */
export async function statusOf({ weir, host }: Instance, path: string): Promise<number> {
  const response = await fetch(`http://${host}:${weir.port}${path}`);
  await response.body?.cancel();
  return response.status;
}

/** Stops a process for a time, as one whose event loop is blocked. */
export async function blocked({ weir }: Instance, act: () => Promise<void>): Promise<void> {
  process.kill(weir.pid, "SIGSTOP");
  try {
    await act();
  } finally {
    process.kill(weir.pid, "SIGCONT");
  }
}
