/**
 * What the tests of faults of message brokers stand on: one service with a connector for each kind,
 * and one server of each, which the tests of a file share. The kinds suffer the same fault at once,
 * since most of a test's time is spent waiting.
 */
import assert from "node:assert/strict";
import { after } from "node:test";
import type { OwnServer } from "../../support/own-server.ts";
import { Proxy } from "../../support/proxy.ts";
import { service, serviceTest } from "../../support/services.ts";
import type { WebClient } from "../../support/web-client.ts";
import { type Bench, codeOf, downstream, until } from "../downstream.ts";
import { runtime } from "../stage.ts";
import type { Delivered } from "../server/functions.ts";
import type { Consuming, Kind, Peer, ServerKind } from "./kind.ts";

/** Registers an entry; `which` of the kinds it is about, all by default. */
export type Fault = (
  entry: string,
  body: (scenes: Scenes) => Promise<void>,
  which?: (kind: Kind) => boolean,
) => void;

/** Returns what registers the entries of a test file. */
export async function messagingFaults(all: readonly Kind[]): Promise<Fault> {
  const servers = new Map<ServerKind, Promise<OwnServer>>();
  const kinds = await installed(all, "faults");
  after(async () => {
    for (const [kind, server] of servers) if (!kind.shared) await (await server).end();
  });
  return (entry, body, which = () => true) => {
    const chosen = kinds.filter(which);
    if (chosen.length === 0) return;
    downstream(`${titlesOf(chosen)}: ${entry}`, async (bench) => {
      const scenes = await Promise.all(chosen.map(async (kind) => {
        const found = servers.get(kind.server) ?? kind.server.open();
        servers.set(kind.server, found);
        const server = await found;
        await server.ensure();
        return new Scene(kind, bench, server);
      }));
      // Whatever has failed: the next test finds them at work.
      bench.onEnd(() => Promise.all(scenes.map((scene) => scene.end())));
      await body(new Scenes(bench, scenes));
    });
  };
}

/** Those whose servers are installed. For each other one a test says that it is not, or fails. */
export async function installed(kinds: readonly Kind[], what: string): Promise<readonly Kind[]> {
  const there = new Set<ServerKind>();
  for (const kind of new Set(kinds.map(({ server }) => server))) {
    if ((await service(kind.service)).ok) there.add(kind);
    else await serviceTest(kind.service, `${runtime} serve: ${what} of ${kind.title}`, () => {});
  }
  return kinds.filter(({ server }) => there.has(server));
}

/** The titles in a row. */
export function titlesOf(kinds: readonly Kind[]): string {
  const titles = kinds.map(({ title }) => title);
  const last = titles.pop();
  return titles.length === 0 ? `${last}` : `${titles.join(", ")} and ${last}`;
}

/** How a test changes the service. */
export interface ServiceOptions extends Consuming {
  /** Whether Weir reaches the servers through proxies; false by default. */
  readonly proxied?: boolean;
  /** The `timeout` of flows that publish. */
  readonly timeout?: string;
  /** More blocks for a kind. */
  readonly blocks?: (scene: Scene) => string;
}

/** All kinds of one test. */
export class Scenes {
  readonly bench: Bench;
  readonly all: readonly Scene[];

  constructor(bench: Bench, all: readonly Scene[]) {
    this.bench = bench;
    this.all = all;
  }

  /** Does the same with each kind at once; what fails names the kind. */
  async each(act: (scene: Scene) => Promise<unknown>): Promise<void> {
    const results = await Promise.allSettled(this.all.map(act));
    const failures = results.flatMap((result, index) => {
      if (result.status === "fulfilled") return [];
      const { reason } = result;
      const text = reason instanceof Error ? reason.stack ?? reason.message : String(reason);
      return [`${this.all[index].kind.title}: ${text}`];
    });
    if (failures.length > 0) throw new Error(failures.join("\n"));
  }

  /** Does the same with each server at once. */
  async servers(act: (server: OwnServer) => Promise<unknown>): Promise<void> {
    const servers = new Map(this.all.map((scene) => [scene.server, scene]));
    await Promise.all([...servers.keys()].map(act));
  }

  /**
   * Serves flows of each kind: what comes with the word `in` goes to the probe's target of the kind's
   * name, and clients publish there with `publish_NAME`.
   */
  async serve(options: ServiceOptions = {}): Promise<void> {
    const { proxied = false, blocks = () => "" } = options;
    if (proxied) {
      await this.each(async (scene) => {
        const proxy = await Proxy.open(scene.server.port);
        this.bench.onEnd(() => proxy.close());
        scene.proxy = proxy;
      });
    }
    const text = this.all.map((scene) => scene.flows(options) + blocks(scene));
    await this.bench.serve(text.join("\n"));
    await this.each(async (scene) => scene.client = await this.bench.open());
  }
}

/** One kind in one test. */
export class Scene {
  readonly kind: Kind;
  readonly bench: Bench;
  readonly server: OwnServer;
  #proxy: Proxy | undefined;
  #client: WebClient | undefined;
  #peer: Promise<Peer> | undefined;

  constructor(kind: Kind, bench: Bench, server: OwnServer) {
    this.kind = kind;
    this.bench = bench;
    this.server = server;
  }

  get name(): string {
    return this.kind.name;
  }

  get id(): string {
    return `${this.bench.id}-${this.name}`;
  }

  set proxy(proxy: Proxy) {
    this.#proxy = proxy;
  }

  get proxy(): Proxy {
    assert.ok(this.#proxy, "it is not served through a proxy");
    return this.#proxy;
  }

  set client(client: WebClient) {
    this.#client = client;
  }

  /** The channel, stream, subject or topic of a word. */
  key(word = "in"): string {
    return this.kind.key(this.id, word);
  }

  /** A flow that gets what comes with a word; `rest` is the rest of it. */
  flow(name: string, word: string, rest: string, attributes = ""): string {
    const operation = this.kind.operation?.(this.id, word) ?? this.key(word);
    return `
      flow "${name} ${this.name}" {
        ${attributes}
        from {
          connector = "${this.name}"
          operation = ${JSON.stringify(operation)}
        }
        ${rest}
      }
    `;
  }

  /** A flow of clients that publishes with a word, or to a key. */
  publishing(
    operation: string,
    word: string,
    { attributes = "", key = this.key(word) }: { attributes?: string; key?: string } = {},
  ): string {
    return `
      flow "${operation} ${this.name}" {
        ${attributes}
        from {
          connector = "ws"
          operation = "${operation}_${this.name}"
        }
        to {
          connector = "${this.name}"
          target    = ${JSON.stringify(key)}
        }
      }
    `;
  }

  /** The connector and the flows of {@link Scenes.serve}. */
  flows({ timeout, prefetch, dlq }: ServiceOptions): string {
    const { id, name } = this;
    const port = this.#proxy?.port ?? this.server.port;
    const to = `to {\n connector = "probe"\n target = "${name}"\n }`;
    const attributes = timeout === undefined ? "" : `timeout = "${timeout}"`;
    return this.kind.connector({ id, port, consumes: true, prefetch, dlq }) +
      this.flow("consume", "in", to) + this.publishing("publish", "in", { attributes });
  }

  /** Publishes as a client of Weir; returns the code of the error, undefined where it was acked. */
  async publish(data: unknown, operation = "publish"): Promise<unknown> {
    assert.ok(this.#client, "`serve` comes first");
    return codeOf(await this.#client.request({ type: `${operation}_${this.name}`, data }));
  }

  /** The test's own client of the server. */
  peer(): Promise<Peer> {
    return this.#peer ??= this.kind.connect(this.server, this.id);
  }

  /** Lets go of it; the next use connects again. */
  async leave(): Promise<void> {
    const peer = this.#peer;
    this.#peer = undefined;
    await (await peer?.catch(() => undefined))?.close();
  }

  /** What came to one of the probe's targets; to that of the kind's name by default. */
  async deliveries(target = this.name): Promise<readonly Delivered[]> {
    return (await this.bench.probe.deliveries()).filter((one) => one.target === target);
  }

  /** The numbers `n` of them. */
  async numbers(target = this.name): Promise<readonly unknown[]> {
    return (await this.deliveries(target)).map(({ payload }) => (payload as { n?: unknown }).n);
  }

  /** Waits until a number has come. */
  async arrived(n: number, limit?: number): Promise<void> {
    await until(`number ${n}`, async () => (await this.numbers()).includes(n), limit);
  }

  counts(): ReturnType<Bench["counts"]> {
    return this.bench.counts(this.name);
  }

  async end(): Promise<void> {
    await this.leave();
    await this.server.ensure();
  }
}
