/** Traces of the `weir` command, in a collector: by Deno's own OpenTelemetry, and by an SDK on Node and Bun. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { type CollectedSpan, Collector, tracingTo } from "../support/collector.ts";
import { Member } from "../support/instances.ts";
import { freePort } from "../support/ports.ts";
import { withPostgres } from "../support/postgres.ts";
import { openStage, runtimes, type Stage, stageTest } from "../support/process.ts";
import { serviceTest } from "../support/services.ts";
import { until } from "../support/socket-probe.ts";
import { LEFT_OUT, RECORDED, SPAN_ID, TRACE_ID } from "../support/tracing.ts";

/** A frame that goes to a database, an API and RabbitMQ, and from there to a room. */
const config = (database: string, exchange: string, api: string): string => `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  connector "db" {
    type       = "database"
    driver     = "postgres"
    url        = "${database}"
    migrations = "./migrations"
  }
  connector "rabbit" {
    type   = "mq"
    driver = "rabbitmq"
    exchange {
      name    = "${exchange}"
      durable = false
    }
  }
  connector "api" {
    type     = "http"
    base_url = "${api}"
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    step "count" {
      connector = "db"
      query     = "SELECT count(*) AS n FROM notes"
    }
    to {
      connector = "db"
      target    = "notes"
      transform { text = "input.text" }
    }
    to {
      connector = "api"
      operation = "POST /hooks/:text"
    }
    to {
      connector = "rabbit"
      target    = "'said.' + input.text"
    }
  }
  flow "heard" {
    from {
      connector = "rabbit"
      operation = "said.*"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "input.text"
    }
  }
  flow "fail" {
    from {
      connector = "ws"
      operation = "fail"
    }
    transform { n = "int(input.text)" }
  }
`;

/** An API that keeps the `traceparent` of each request. */
async function openApi(): Promise<{
  readonly url: string;
  readonly traces: (string | undefined)[];
  close(): void;
}> {
  const traces: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    traces.push(request.headers.traceparent as string | undefined);
    request.resume().on("end", () => response.end());
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, traces, close };
}

/** Runs `act` on each runtime with a service that is traced, and that uses PostgreSQL and RabbitMQ. */
async function tracedTest(
  name: string,
  act: (parts: {
    readonly stage: Stage;
    readonly collector: Collector;
    readonly traces: readonly (string | undefined)[];
    readonly member: Member;
    readonly weir: Awaited<ReturnType<Stage["run"]>>;
  }) => Promise<void>,
): Promise<void> {
  for (const runtime of runtimes) {
    await serviceTest("rabbitmq", `${name}, on ${runtime}`, () =>
      withPostgres(async ({ url }) => {
        const [stage, collector, api] = [
          await openStage(runtime),
          await Collector.open(),
          await openApi(),
        ];
        try {
          const exchange = `weir-traces-${crypto.randomUUID().slice(0, 8)}`;
          await mkdir(join(stage.folder, "migrations"));
          const schema = "CREATE TABLE notes (text text NOT NULL);";
          await writeFile(join(stage.folder, "migrations/001-notes.sql"), schema);
          await writeFile(join(stage.folder, "traced.hcl"), config(url, exchange, api.url));
          const env = collector.env(runtime);
          const weir = await stage.run(["traced.hcl", "--log-format", "json"], { env });
          const member = await Member.connect({ weir, host: "127.0.0.1" }, new URLSearchParams());
          await act({ stage, collector, traces: api.traces, member, weir });
          member.leave();
          stage.assertSound();
        } finally {
          await stage.end();
          collector.close();
          api.close();
        }
      }));
  }
}

await tracedTest(
  "a frame, its rows, its request, its message and what a room gets are one tree",
  async ({ collector, traces, member, weir }) => {
    await member.join("hello");
    await member.say({ type: "say", traceparent: RECORDED, data: { text: "hello" } });
    await until("the message", () => member.data.length === 1);
    const tree = await collector.tree(TRACE_ID, 7);
    assert.deepEqual(tree, [
      "INSERT notes < say ws",
      "POST /hooks/:text < say ws",
      "SELECT db < say ws",
      "process said.* < publish rabbit",
      "publish rabbit < say ws",
      "say ws",
      "send_to_room ws < process said.*",
    ]);
    const span = (name: string): CollectedSpan => {
      const found = collector.trace(TRACE_ID).find((one) => one.name === name);
      assert.ok(found, name);
      return found;
    };
    assert.equal(span("say ws").parent, SPAN_ID);
    // One after the other, and before the end of their flow. Each is exported when it ends.
    const ended = collector.trace(TRACE_ID).map(({ name }) => name)
      .filter((name) => tree.includes(`${name} < say ws`) || name === "say ws");
    assert.deepEqual(ended, [
      "SELECT db",
      "INSERT notes",
      "POST /hooks/:text",
      "publish rabbit",
      "say ws",
    ]);
    const { attributes } = span("INSERT notes");
    assert.equal(attributes["db.system.name"], "postgresql");
    assert.equal(attributes["db.collection.name"], "notes");
    assert.equal(span("SELECT db").attributes["db.query.text"], "SELECT count(*) AS n FROM notes");
    const sent = span("publish rabbit").attributes;
    assert.equal(sent["messaging.system"], "rabbitmq");
    assert.match(String(sent["messaging.destination.name"]), /^weir-traces-.*:said\.hello$/);
    assert.equal(span("POST /hooks/:text").attributes["http.request.method"], "POST");
    // The API is told the span of its request; on Deno that of its own fetch, which is below it.
    const [, trace, parent, flags] = (traces[0] ?? "").split("-");
    assert.deepEqual([trace, flags], [TRACE_ID, "01"]);
    const below = collector.spans.find(({ id }) => id === parent);
    const request = span("POST /hooks/:text").id;
    assert.ok(parent === request || below?.parent === request, `${traces[0]}`);

    // The log of a flow names the trace.
    const failed = await member.ask({ type: "fail", traceparent: RECORDED, data: { text: "x" } });
    assert.equal(failed.code, "flow_failed");
    await collector.tree(TRACE_ID, 8);
    const { attributes: failure } = span("fail ws");
    assert.ok(String(failed.message).includes(String(failure["weir.ref"])));
    const line = weir.stderr.split("\n").find((text) => text.includes("failed (ref"));
    assert.equal(JSON.parse(line ?? "{}").properties.trace_id, TRACE_ID);
  },
);

await tracedTest(
  "a trace that its sender does not record has no spans, and is passed on",
  async ({ collector, traces, member }) => {
    await member.join("quiet");
    await member.say({ type: "say", traceparent: LEFT_OUT, data: { text: "quiet" } });
    await until("the message", () => member.data.length === 1);
    assert.match(traces[0] ?? "", new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-00$`));
    // What comes later is recorded, so everything before has had its time.
    const later = RECORDED.replace(TRACE_ID, "1".repeat(32));
    await member.say({ type: "say", traceparent: later, data: { text: "quiet" } });
    await collector.tree("1".repeat(32), 7);
    assert.deepEqual(collector.trace(TRACE_ID), []);
  },
);

const ECHO = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "echo" {
    from {
      connector = "ws"
      operation = "echo"
    }
    response { n = "input.n" }
  }
`;

/** Asks so many times, and checks each answer. */
async function talk(stage: Stage, env: Readonly<Record<string, string>>): Promise<void> {
  await writeFile(join(stage.folder, "echo.hcl"), ECHO);
  const weir = await stage.run(["echo.hcl"], { env });
  const member = await Member.connect({ weir, host: "127.0.0.1" }, new URLSearchParams());
  for (let n = 0; n < 300; n++) {
    assert.deepEqual((await member.say({ type: "echo", data: { n } })).data, { n });
  }
  member.leave();
  stage.assertSound();
  // Nor does it keep the service from ending in order.
  weir.signal("SIGTERM");
  const { code, stderr } = await weir.ended();
  assert.deepEqual([code, stderr], [0, ""]);
}

stageTest("a collector that is away disturbs nothing", async (stage) => {
  await talk(stage, tracingTo(`http://127.0.0.1:${await freePort()}`, stage.runtime));
});

stageTest("a collector that does not answer disturbs nothing", async (stage) => {
  const collector = await Collector.open({ answers: false });
  try {
    await talk(stage, collector.env(stage.runtime));
    await until("a request", () => collector.requests > 0);
  } finally {
    collector.close();
  }
});
