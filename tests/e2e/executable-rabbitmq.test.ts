/** Replicas of the deployment in deploy/, with the executable and RabbitMQ. */
import assert from "node:assert/strict";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Connection } from "rabbitmq-client";
import { type ExecutableStage, withExecutable } from "../support/executable.ts";
import { root, type Weir } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import { ack, openClient } from "../support/talk.ts";

const BROKER = "amqp://guest:guest@127.0.0.1:5672";

await serviceTest(
  "rabbitmq",
  "executable: a message reaches the clients of every replica, through RabbitMQ",
  async () => {
    const exchange = `live-${crypto.randomUUID()}`;
    try {
      await withExecutable((stage) => talk(stage, exchange));
    } finally {
      const connection = new Connection(BROKER);
      await connection.exchangeDelete({ exchange });
      await connection.close();
    }
  },
);

async function talk(stage: ExecutableStage, exchange: string): Promise<void> {
  const [one, two] = [
    await startReplica(stage, "one", exchange),
    await startReplica(stage, "two", exchange),
  ];
  const [ada, bob] = [await openClient(one), await openClient(two)];
  ada.say({ type: "message", data: { text: "hello" }, id: 1 });
  const said = { type: "message", data: { text: "hello" } };
  assert.deepEqual(await bob.hear(), said);
  const answers = await ada.hearMany(2);
  assert.deepEqual(answers.find(({ type }) => type === "ack"), ack(1));
  assert.deepEqual(answers.find(({ type }) => type === "message"), said);
  for (const weir of [one, two]) {
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0, weir.output);
  }
  for (const client of [ada, bob]) assert.equal((await client.ending()).code, 1001);
}

/** One replica, with a database of its own. */
async function startReplica(stage: ExecutableStage, name: string, exchange: string): Promise<Weir> {
  const folder = join(stage.folder, name);
  await cp(join(root, "deploy/app"), folder, { recursive: true });
  const file = join(folder, "live.hcl");
  const text = await readFile(file, "utf8");
  const changed = text.replace(
    'exchange {\n    name = "live"',
    `exchange {\n    name = "${exchange}"`,
  );
  assert.notEqual(changed, text);
  await writeFile(file, changed);
  const env = { MQ: "rabbitmq", AMQP_URL: BROKER };
  const weir = await stage.run([name, "--port", "ws=0"], { env });
  const health = ["health", `http://localhost:${weir.port}`];
  await until("it is ready", async () => (await stage.weir(health)).code === 0);
  return weir;
}
