/** Spans of what a connector looks up outside of flows: a room's rule that asks a database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hosts } from "../support/socket-hosts.ts";
import { LEFT_OUT, RECORDED, Sdk, SPAN_ID, told } from "../support/tracing.ts";
import { type Frame, WebClient } from "../support/web-client.ts";

const config = (service = "") => `
  service {
    ${service}
  }
  connector "ws" {
    type = "websocket"
    port = 0
    room "team:{id}" {
      step "team" {
        connector = "db"
        query     = "SELECT :id AS id"
        params    = { id = "match.id" }
        cache     = "1h"
      }
      join = "step.team.id != ''"
    }
    room "broken:*" {
      step "team" {
        connector = "db"
        query     = "SELECT name FROM nowhere"
      }
      join = "step.team != null"
    }
  }
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
`;

/** Joins rooms one after the other, and calls `look` with the spans of that. */
async function joining(
  frames: readonly Frame[],
  look: (sdk: Sdk, answers: readonly Frame[]) => void,
  service?: string,
): Promise<void> {
  await Sdk.with(async (sdk) => {
    const running = await hosts[0].start(config(service));
    const client = await WebClient.open(`ws://127.0.0.1:${running.port}/ws`);
    const answers: Frame[] = [];
    for (const frame of frames) {
      answers.push(await client.request({ type: "join_room", ...frame }));
    }
    client.close();
    await client.closed;
    await running.close();
    look(sdk, answers);
  });
}

test("a look-up is a span below the one of its connector", () =>
  joining([{ room: "team:1" }], (sdk, [{ type }]) => {
    assert.equal(type, "ack");
    assert.deepEqual(sdk.tree(), ["SELECT db < look up ws", "look up ws"]);
    const { kind, attributes, status } = told(sdk.span("look up ws"));
    assert.deepEqual([kind, attributes, status], ["INTERNAL", { "weir.connector": "ws" }, "UNSET"]);
    const asked = told(sdk.span("SELECT db")).attributes;
    assert.deepEqual([asked["weir.request"], asked["weir.name"]], ["step", "team"]);
  }));

test("it is a part of the trace that the frame names", () =>
  joining([{ room: "team:1", traceparent: RECORDED }], (sdk) => {
    assert.equal(sdk.span("look up ws").parentSpanContext?.spanId, SPAN_ID);
  }));

test("it has no span where its result is in the cache, or its trace is not recorded", async () => {
  await joining([{ room: "team:1" }, { room: "team:1" }], (sdk) => {
    assert.equal(sdk.spans.length, 2);
  });
  await joining([{ room: "team:1", traceparent: LEFT_OUT }], (sdk, [{ type }]) => {
    assert.deepEqual([type, sdk.spans.length], ["ack", 0]);
  });
  await joining([{ room: "team:1" }], (sdk, [{ type }]) => {
    assert.deepEqual([type, sdk.spans.length], ["ack", 0]);
  }, "trace_ratio = 0");
});

test("one that fails is an error, with the cause", () =>
  joining([{ room: "broken:1" }], (sdk, [{ code }]) => {
    assert.equal(code, "flow_failed");
    assert.equal(told(sdk.span("look up ws")).status, "ERROR");
    const { status, events } = told(sdk.span("SELECT db"));
    assert.deepEqual([status, events], ["ERROR", ["exception"]]);
  }));
