/** The admin port of `weir run`, with workers and with --watch; `weir status` and `weir health`. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { adminJson, adminPortOf, adminSays } from "../support/admin.ts";
import { freePort } from "../support/ports.ts";
import { type Stage, stageTest } from "../support/process.ts";
import { rawRequest } from "../support/raw-http.ts";
import { complains, startedAgain, startWatching, write } from "../support/watching.ts";
import { childrenOf } from "../support/workers.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";

const WS = `
connector "ws" {
  type = "websocket"
  port = 0
}
flow "say" {
  from {
    connector = "ws"
    operation = "say"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;

function service(...lines: readonly string[]): string {
  return `service {\n  name = "chat"\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

async function run(stage: Stage, text: string, ...args: readonly string[]) {
  await writeFile(join(stage.folder, "chat.hcl"), text);
  return await stage.run(["chat.hcl", ...args]);
}

stageTest("admin: status and health from the command line, with the token", async (stage) => {
  const token = 'admin_token = env("TOKEN")';
  await writeFile(join(stage.folder, "chat.hcl"), service("admin_port = 1", token) + WS);
  const args = ["chat.hcl", "--admin-port", "0"];
  const weir = await stage.run(args, { env: { TOKEN } });
  const port = await adminPortOf(weir);
  const url = `http://localhost:${port}`;
  const env = { WEIR_ADMIN_TOKEN: TOKEN };

  const ready = await stage.weir(["status", url], { env });
  assert.deepEqual([ready.code, ready.stderr], [0, ""]);
  assert.match(
    ready.stdout,
    new RegExp(
      `^chat: ready\\nweir \\S+ on ${stage.runtime} \\S+, up .+, flows in flight: 0\\n\\n` +
        "connector +type +state\\nws +websocket +ready\\n\\n" +
        "clients of +connections +rooms +users\\nws +0 +0 +0\\n",
    ),
  );
  const health = await stage.weir(["health", url, "--token", TOKEN]);
  assert.deepEqual([health.code, health.stdout], [0, `ready: ${url}/health/ready\n`]);

  // The variable counts where the option is missing, and only there.
  const wrong = await stage.weir(["status", url, "--token", `${TOKEN}x`], { env });
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^error\[not-reached\]: .+: the server does not accept the token\n$/);
  const missing = await stage.weir(["health", url]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /: the server needs a token; set WEIR_ADMIN_TOKEN or --token\n$/);

  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
  const gone = await stage.weir(["status", url], { env });
  assert.deepEqual([gone.code, gone.stdout], [2, ""]);
  assert.match(gone.stderr, /^error\[not-reached\]: .+: nothing listens on this port\n$/);
  const usage = await stage.weir(["status", "localhost"]);
  assert.match(usage.stderr, /^error\[usage-error\]: status needs an http or https URL/);
  assert.equal(usage.code, 2);
});

stageTest("admin: a broker that is away makes status exit with 1", async (stage) => {
  const broker = `connector "rabbit" {
  type   = "mq"
  driver = "rabbitmq"
  url    = "amqp://127.0.0.1:${await freePort()}"
}
flow "event" {
  from {
    connector = "rabbit"
    operation = "a.b"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
  const weir = await run(stage, service("admin_port = 0") + WS + broker);
  const port = await adminPortOf(weir);
  const url = `http://localhost:${port}`;
  const { code, stdout } = await stage.weir(["status", url]);
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^chat: not ready\n/);
  assert.match(stdout, /^rabbit +mq +not ready: \S.+\n/m);
  const health = await stage.weir(["health", url]);
  assert.match(
    health.stderr,
    /: connector "rabbit" cannot serve; the log of the server says why\n$/,
  );
  assert.equal((await adminJson(port, "/health/serving"))[0], 200);
});

stageTest("admin: a port that is in use ends the start, with workers, too", async (stage) => {
  const weir = await run(stage, service("admin_port = 0") + WS);
  const port = await adminPortOf(weir);
  for (const more of [[], ["--workers", "2"]]) {
    const args = ["run", "chat.hcl", "--admin-port", String(port), ...more];
    const { code, stderr } = await stage.weir(args);
    assert.equal(code, 3);
    assert.match(
      stderr,
      /^error\[cannot-listen\]: the admin port cannot listen on 127\.0\.0\.1:\d+: the port is in use/m,
    );
  }
  await writeFile(join(stage.folder, "none.hcl"), WS);
  const none = await stage.weir(["run", "none.hcl", "--admin-port", "0"]);
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(
    none.stderr,
    /^error\[usage-error\]: --admin-port 0: the configuration has no admin_port/,
  );
});

stageTest("admin: with workers one port answers for all, also while one is away", async (stage) => {
  const weir = await run(stage, service("admin_port = 0") + WS, "--workers", "2");
  const port = await adminPortOf(weir);
  assert.deepEqual(await adminJson(port, "/health/live"), [200, { status: "ok", name: "chat" }]);
  assert.deepEqual(await adminJson(port, "/health/ready"), [200, { status: "ok" }]);
  assert.equal((await adminJson(port, "/health/serving"))[0], 200);
  const workersOf = async () => (await adminJson(port, "/status"))[1].workers;
  const both = [1, 2].map((worker) => ({ worker, running: true, restarts: 0 }));
  assert.deepEqual(await workersOf(), both);
  assert.equal((await rawRequest(weir.port, { path: "/health/ready" })).status, 404);

  // A client on one of the workers is counted by the one port.
  const socket = new WebSocket(weir.addresses[0]);
  await new Promise((resolve) => socket.addEventListener("open", resolve));
  type Clients = { readonly ws?: { readonly connections?: number } };
  await adminSays(port, "/status", (_, { counts }) => (counts as Clients).ws?.connections === 1);
  socket.close();

  // A worker that is away is seen; one that is back at once may not be, and is killed again.
  const isAway = (status: number, { connectors }: Record<string, unknown>): boolean =>
    status === 503 && (connectors as string[]).includes("runtime");
  const restartsOf = async () =>
    (await workersOf() as { readonly restarts: number }[]).reduce(
      (sum, one) => sum + one.restarts,
      0,
    );
  for (let kills = 1, seen = false; !seen; kills++) {
    const [, second] = await childrenOf(weir.pid);
    process.kill(second, "SIGKILL");
    await adminSays(port, "/health/live", (status) => status === 200);
    do {
      seen ||= isAway(...await adminJson(port, "/health/ready"));
      // Others serve meanwhile.
      assert.equal((await adminJson(port, "/health/serving"))[0], 200);
    } while (!seen && await restartsOf() < kills);
  }
  await adminSays(port, "/status", (_, { state }) => state === "ready");
  assert.ok(await restartsOf() >= 1);
  assert.equal((await adminJson(port, "/health/ready"))[0], 200);

  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
  await assert.rejects(rawRequest(port));
});

stageTest("admin: --watch keeps the port, also a free one that was taken", async (stage) => {
  const text = (name: string, lines = "admin_port = 0") =>
    `service {\n  ${lines}\n}\nconnector "${name}" {\n  type = "websocket"\n  port = 0\n}\n`;
  const weir = await startWatching(stage, { "a.hcl": text("one") });
  const port = await adminPortOf(weir);
  const connectorsOf = async () => {
    const [, { connectors }] = await adminJson(port, "/status");
    return (connectors as { name: string }[]).map(({ name }) => name);
  };
  assert.deepEqual(await connectorsOf(), ["one"]);
  await write(stage, { "a.hcl": text("two") });
  await startedAgain(weir, 1);
  assert.deepEqual(await connectorsOf(), ["two"]);

  // Wrong: what runs keeps its port and goes on answering.
  await write(stage, { "a.hcl": text("two", "admin_port = 99999") });
  await complains(weir, /invalid-value/);
  assert.deepEqual(await connectorsOf(), ["two"]);
  // Without an admin port it is closed, and comes back with it.
  await write(stage, { "a.hcl": text("three", 'name = "weir"') });
  await startedAgain(weir, 2);
  await assert.rejects(rawRequest(port));
  await write(stage, { "a.hcl": text("four") });
  await startedAgain(weir, 3);
  assert.deepEqual(await connectorsOf(), ["four"]);
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
});
