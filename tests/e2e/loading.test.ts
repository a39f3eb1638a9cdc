/** A client library is loaded when a configuration names its service, or with metrics. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root, stageTest } from "../support/process.ts";
import { needTool } from "../support/toolchain.ts";

/** Each is `CommonJS`, so that a runtime tells whether it has been loaded. */
const CLIENTS = [
  ...["@nats-io/nats-core", "@redis/client", "mysql2", "pg"],
  ...["prom-client", "rabbitmq-client"],
];

const NONE = [
  'type = "database"\ndriver = "sqlite"\ndatabase = ":memory:"',
  'type = "mq"\ndriver = "memory"',
  'type = "websocket"\nport = 0',
  'type = "rest"\nport = 0',
];
// Nobody listens there.
const MYSQL = ['type = "database"\ndriver = "mysql"\nurl = "mysql://127.0.0.1:1/a"'];
const POSTGRES = ['type = "database"\ndriver = "postgres"\nurl = "postgres://127.0.0.1:1/a"'];
const REDIS = ['type = "mq"\ndriver = "redis"\nport = 1'];
const NATS = ['type = "mq"\ndriver = "nats"\nport = 1'];

stageTest("a configuration loads the clients of its own services alone", async (stage) => {
  const configs = [NONE, MYSQL, POSTGRES, REDIS, NATS].map((bodies) =>
    bodies.map((body, n) => `connector "c${n}" {\n${body}\n}\n`).join("")
  );
  const program = `
    import { createRequire } from "node:module";
    import process from "node:process";
    import { createRuntime } from ${JSON.stringify(join(root, "mod.ts"))};

    const { cache } = createRequire(import.meta.url);
    for (const config of ${JSON.stringify(configs)}) {
      await (await createRuntime(config)).close();
      const files = Object.keys(cache);
      const loaded = ${JSON.stringify(CLIENTS)}.filter((name) =>
        files.some((file) => file.includes(\`/node_modules/\${name}/\`))
      );
      console.log(loaded.join());
    }
    await (await createRuntime("", { metrics: true })).close();
    console.log(Object.keys(cache).some((file) => file.includes("/node_modules/prom-client/")));
    process.exit(0);
  `;
  const file = join(stage.folder, "program.ts");
  await writeFile(file, program);
  const flags = stage.runtime === "deno"
    ? ["run", "-A", "--no-check", `--config=${join(root, "deno.json")}`]
    : [];
  const { code, stdout, stderr } = await stage.command(await needTool(stage.runtime), [
    ...flags,
    file,
  ]).ended();
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trimEnd().split("\n"), [
    ...["", "mysql2", "mysql2,pg", "@redis/client,mysql2,pg"],
    "@nats-io/nats-core,@redis/client,mysql2,pg",
    "true",
  ]);
});
