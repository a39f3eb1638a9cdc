/** The tests of one kind of backplane: instances of all three runtimes in one service. */
import process from "node:process";
import { after, test } from "node:test";
import { type BackplaneKind, type Instance, InstancesOfService } from "../../support/instances.ts";
import type { OwnServer } from "../../support/own-server.ts";
import { runtimes } from "../../support/process.ts";
import { RedisServer, withRedis } from "../../support/redis.ts";
import { busy, killed } from "./deaths.ts";
import { chaos } from "./chaos.ts";
import { catchesUp, kept, KEPT_ROOM, killedAgainAndAgain, losesAll } from "./histories.ts";
import { withLogServer } from "./log-server.ts";
import { deduped, dedupes, scheduled, schedules } from "./once.ts";
import { brokerRestarts, cut, oneIsAway, stall } from "./outages.ts";
import { PRESENCE_ROOMS, presenceChaos } from "./presence.ts";
import { presenceStays } from "./presence-stays.ts";
import { joins, orders, sends, subscriptions, users, versions } from "./races.ts";
import { serviceOf, type ServiceOptions } from "./service.ts";

const long = (process.env.WEIR_TEST_LONG ?? "") !== "";

/** How many milliseconds late everything arrives on a slow link. */
const SLOW = 40;

const SHORT_CHAOS = {
  duration: 15_000,
  clients: 30,
  readers: 6,
  users: 10,
  rooms: 8,
  every: 1_500,
  pace: 200,
};
const SHORT_PRESENCE = { duration: 12_000, users: 40, rate: 50, every: 2_500 };
const LONG_PRESENCE = { duration: 300_000, users: 100, rate: 50, every: 4_000 };
const LONG_CHAOS = {
  duration: 600_000,
  clients: 200,
  readers: 40,
  users: 40,
  rooms: 40,
  every: 3_000,
  pace: 4_000,
};

/** Registers them. */
export function testInstances(kind: BackplaneKind): void {
  const { driver, keeps, remembers } = kind;
  let shared: Promise<OwnServer> | undefined;
  after(async () => await (await shared)?.end());
  const register = (
    what: string,
    run: (service: InstancesOfService, name: string) => Promise<void>,
    options: ServiceOptions = {},
  ): void => {
    test(`${driver}: ${what}`, async () => {
      const broker = await (shared ??= kind.open());
      const name = `weir-test-${crypto.randomUUID()}`;
      const config = serviceOf(kind, name, options);
      await InstancesOfService.with(broker, config, (service) => run(service, name));
    });
  };
  const registerAll = (
    what: string,
    run: (service: InstancesOfService, instances: readonly Instance[]) => Promise<void>,
    options?: ServiceOptions,
  ): void =>
    register(what, async (service) => run(service, await service.startAll(runtimes)), options);

  register("clients cannot tell that they are on several instances", async (service, name) => {
    const instances = await service.startAll(runtimes);
    if (service.broker instanceof RedisServer) {
      const { url } = service.broker;
      await subscriptions(
        service,
        instances,
        () => withRedis(url, async (client) => (await client.pubSubChannels()).length),
      );
    }
    await sends(service, instances);
    await orders(service, instances);
    await joins(service, instances);
    await users(service, instances);
    for (const { proxy } of instances) proxy.delay = SLOW;
    await joins(service, instances, 30);
    await users(service, instances, 30);
    for (const { proxy } of instances) proxy.delay = 0;
    await versions(
      service,
      instances,
      (filter) => service.start("deno", { config: serviceOf(kind, name, { filter }) }),
    );
  });
  registerAll(
    "an instance is cut off, another one's link stalls, the broker restarts, is killed",
    async (service, instances) => {
      await oneIsAway(service, instances, instances[0], cut);
      await oneIsAway(service, instances, instances[1], stall);
      await oneIsAway(service, instances, instances[2], cut);
      await brokerRestarts(service, instances, "restart");
      await brokerRestarts(service, instances, "kill");
    },
  );
  registerAll("instances are busy, and are killed under load", async (service, instances) => {
    await busy(service, instances);
    await killed(service, instances);
  });
  register(
    "schedules run once, and go on when their instance stops or dies",
    (service) => withLogServer((log) => schedules(service, log, runtimes)),
    { blocks: scheduled },
  );
  registerAll(
    "random kills, cuts and restarts under load",
    (service, instances) =>
      chaos(service, instances, {
        seed: Number(process.env.WEIR_TEST_SEED ?? Date.now() % 1_000_000),
        ...(long ? LONG_CHAOS : SHORT_CHAOS),
        ...(!remembers && { readers: 0 }),
      }),
    { rooms: `${remembers ? KEPT_ROOM : ""}${PRESENCE_ROOMS}` },
  );
  register(
    "nobody leaves a room by a reload or the restart of an instance",
    async (service) => presenceStays(service, await service.startAll(runtimes)),
    { rooms: PRESENCE_ROOMS },
  );
  register(
    "presence is the truth after random joins, leaves and kills",
    async (service) =>
      presenceChaos(service, await service.startAll(runtimes), {
        seed: Number(process.env.WEIR_TEST_SEED ?? Date.now() % 1_000_000),
        ...(long ? LONG_PRESENCE : SHORT_PRESENCE),
      }),
    { rooms: PRESENCE_ROOMS },
  );
  if (remembers) {
    registerAll(
      "rooms with history lose and repeat nothing while instances are killed",
      killedAgainAndAgain,
      kept,
    );
    registerAll(
      "rooms with history are whole after a cut, a stall and a restart",
      async (service, instances) => {
        await catchesUp(service, instances, instances[0], cut);
        await catchesUp(service, instances, instances[1], stall);
        await losesAll(service, instances);
      },
      kept,
    );
  }
  if (!keeps) return;
  register(
    "an event is handled once, also where its instance dies",
    (service) =>
      withLogServer(async (log) => {
        const env = { LOG_URL: log.url };
        const instances = await Promise.all(
          runtimes.map((runtime) => service.start(runtime, { env })),
        );
        await dedupes(service, log, instances);
        await dedupes(service, log, [instances[1], instances[2]]);
      }),
    { blocks: deduped },
  );
}
