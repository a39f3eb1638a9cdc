/** The client in Python of docs/client.md: what it knows, and when it gives up. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SECRET } from "../support/auth.ts";
import { tokenFor } from "../support/library.ts";
import { keptPort } from "../support/ports.ts";
import { onAllRuntimes, type Stage } from "../support/process.ts";
import {
  type Facts,
  PYTHON,
  PythonClient,
  pythonClient,
  pythonProgram,
  startServer,
} from "../support/python-client.ts";
import { serviceTest } from "../support/services.ts";

/** Connectors that refuse clients, on the port of the connector "ws". */
const DOORS = `
connector "private" {
  type = "websocket"
  port = 0
  path = "/private"
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
}
connector "members" {
  type = "websocket"
  port = 0
  path = "/members"
}
flow "members" {
  from {
    connector = "members"
    operation = "connect"
  }
  reject {
    when    = "true"
    code    = "members_only"
    message = "become a member"
  }
}
connector "small" {
  type            = "websocket"
  port            = 0
  path            = "/small"
  max_connections = 1
}
`;

/** Registers a test that runs on all runtimes at once: the clients wait most of the time. */
async function pythonTest(name: string, run: (stage: Stage) => Promise<void>): Promise<void> {
  const whole = `Python's client of docs/client.md: ${name}`;
  await serviceTest("python-websockets", whole, () => onAllRuntimes(run));
}

await pythonTest("it knows why it is refused", async (stage) => {
  const { port } = await startServer(stage, 0, DOORS);
  const ada = await PythonClient.start(stage, port, {
    path: "/private",
    token: await tokenFor("ada", 600),
  });
  await ada.process.says(/"pong"/);
  const late = await PythonClient.start(stage, port, {
    path: "/private",
    token: await tokenFor("ada", -600),
  });
  const stranger = await PythonClient.start(stage, port, { path: "/members" });
  const unauthorized = await refusalOf(late);
  assert.deepEqual([unauthorized.refused.code, unauthorized.tokens], ["unauthorized", 1]);
  const { refused, tokens } = await refusalOf(stranger);
  assert.deepEqual([refused.code, refused.message], ["members_only", "become a member"]);
  assert.equal(tokens, 1);

  const first = await PythonClient.start(stage, port, { path: "/small" });
  await first.process.says(/"pong"/);
  const second = await PythonClient.start(stage, port, { path: "/small" });
  await second.process.says(/"unavailable"[^]*"unavailable".*\n/);
  for (const { code, retry_after_ms: wait } of second.shown) {
    assert.deepEqual([code, wait], ["unavailable", 1000]);
  }
  await first.process.kill();
  await second.process.says(/"pong"/);
});

await pythonTest("a request that is late is not sent, and lost history is told", async (stage) => {
  const port = await keptPort();
  const client = await PythonClient.start(stage, port, { first: "late" });
  await client.process.says(/"late": true/);
  client.say(1);
  const weir = await startServer(stage, port);
  await client.process.says(/"n": 0/);
  // The server does not know the operation: it would have said so.
  assert.deepEqual(client.shown.map(({ type }) => type), ["pong"]);

  const reader = await PythonClient.start(stage, port, { first: "join" });
  await reader.process.says(/"ack"/);
  weir.signal("SIGKILL");
  await weir.ended();
  await startServer(stage, port);
  await reader.process.says(/"ack"[^]*"ack".*\n/);
  const joins = reader.shown.filter(({ type }) => type === "ack");
  const answers = joins.map(({ room, recovered }) => [room, recovered]);
  assert.deepEqual(answers, [["chat:7", undefined], ["chat:7", false]]);

  await writeFile(join(stage.folder, "weir.py"), pythonClient);
  await writeFile(join(stage.folder, "program.py"), pythonProgram);
  const args = ["-u", "program.py", `ws://127.0.0.1:${port}/ws`, "none"];
  const program = stage.command(PYTHON, args);
  await program.says(/'text': 'hello'/);
  await program.says(/^\{'type': 'ack', 'id': '[\w-]+'\}$/m);
});

/** How a client ends that the server refuses. */
async function refusalOf(client: PythonClient) {
  const { code, stderr } = await client.process.ended();
  assert.deepEqual([code, stderr], [0, ""]);
  return client.facts.at(-1) as { readonly refused: Facts; readonly tokens: number };
}
