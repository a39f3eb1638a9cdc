/** Instances on hosts of their own, and a network between them and the broker that fails. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { NATS_SERVER, REDIS_SERVER } from "../support/broker-programs.ts";
import {
  type BackplaneKind,
  backplaneKinds,
  type BrokerOfService,
  type Instance,
  InstancesOfService,
  statusOf,
} from "../support/instances.ts";
import { type Host, whyNoHosts, withHosts } from "../support/network.ts";
import { openStage, runtimes, type Stage } from "../support/process.ts";
import { RabbitServer } from "../support/rabbitmq.ts";
import { until } from "../support/socket-probe.ts";
import { type Fault, oneIsAway, works } from "./instances/outages.ts";
import { serviceOf } from "./instances/service.ts";

const PORT = 4300;

/** RabbitMQ's client notices a silent network after four seconds, and tries again every five. */
const PATIENCE = 20_000;

/** What an instance logs once for each outage. */
const CUT_OFF = "the other instances cannot be reached";

/** The commands of brokers that need no more, and what each says when it serves. */
const commands: Readonly<Record<string, readonly [command: readonly string[], ready: string]>> = {
  redis: [
    [
      REDIS_SERVER,
      "--bind",
      "0.0.0.0",
      "--protected-mode",
      "no",
      "--port",
      `${PORT}`,
      "--save",
      "",
    ],
    "Ready to accept connections",
  ],
  nats: [[NATS_SERVER, "-a", "0.0.0.0", "-p", `${PORT}`], "Server is ready"],
};

const missing = await whyNoHosts();

for (const kind of backplaneKinds) {
  const name = `${kind.driver}: the network of one instance falls silent, and that of all of them`;
  if (missing === undefined) test(name, () => withHosts(4, (hosts) => partition(kind, hosts)));
  else test.skip(`${name} (${missing})`, () => {});
}

async function partition(kind: BackplaneKind, [middle, ...hosts]: readonly Host[]): Promise<void> {
  const stage = await openStage("node");
  const broker = kind.driver === "rabbitmq"
    ? await RabbitServer.open({ before: middle.before })
    : undefined;
  try {
    const bus = broker ?? await startBroker(kind, middle, stage);
    const config = serviceOf(kind, `weir-test-${crypto.randomUUID()}`);
    await InstancesOfService.with(bus, config, async (service) => {
      const env = { BUS_HOST: middle.back, BUS_PORT: String(bus.port) };
      const instances = await Promise.all(
        runtimes.map((runtime, index) => {
          const { before, front: host } = hosts[index];
          return service.start(runtime, { before, host, env });
        }),
      );
      const hostOf = (instance: Instance) => hosts[instances.indexOf(instance)];
      const silence: Fault = {
        begin: (instance) => hostOf(instance).reach(false),
        end: (instance) => hostOf(instance).reach(true),
      };
      await oneIsAway(service, instances, instances[0], silence);
      await allAreAway(service, instances, hosts);
    });
  } finally {
    await broker?.end();
    await stage.end();
  }
}

/** Nobody reaches the broker until all of them know it. */
async function allAreAway(
  service: InstancesOfService,
  instances: readonly Instance[],
  hosts: readonly Host[],
): Promise<void> {
  const room = crypto.randomUUID();
  const members = await Promise.all(
    instances.map((instance) => service.connect(instance, { rooms: [room], resync: true })),
  );
  await works(members, room);
  // The connector has another connection, which may notice it earlier.
  const outages = () => instances.map(({ weir }) => weir.stderr.split(CUT_OFF).length);
  const before = outages();
  await Promise.all(hosts.map((host) => host.reach(false)));
  const answers = await Promise.all(
    members.map((member) => member.ask({ type: "say", data: { to: room, text: "lost" } })),
  );
  for (const { code } of answers) assert.equal(code, "flow_failed");
  const know = () => outages().every((count, index) => count > before[index]);
  await until("all instances know it", know, 50, PATIENCE);
  await Promise.all(hosts.map((host) => host.reach(true)));
  const ready = async () => {
    const statuses = await Promise.all(instances.map((one) => statusOf(one, "/health/ready")));
    return statuses.every((status) => status === 200);
  };
  await until("all instances are ready", ready, 50, PATIENCE);
  await works(members, room);
}

async function startBroker(
  { driver }: BackplaneKind,
  { before }: Host,
  stage: Stage,
): Promise<BrokerOfService> {
  const [[program, ...args], ready] = commands[driver];
  const process = stage.command(program, args, { before });
  await until("the broker", () => process.output.includes(ready));
  const never = () => Promise.reject(new Error("this test leaves the broker alone"));
  return { port: PORT, start: never, stop: never, kill: never, restart: never };
}
