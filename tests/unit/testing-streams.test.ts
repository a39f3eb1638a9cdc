/** Clients of tests that listen to a stream of events. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { formatResult } from "../../src/testing/report.ts";
import { runTest } from "../../src/testing/run.ts";
import { placed } from "../support/problems.ts";

const CONFIG = (attributes = 'sse = "/events"') => `
connector "ws" {
  type = "websocket"
  port = 3001
  ${attributes}
  room "open:*" {
    presence {
    }
  }
  room "kept" {
    history {
    }
  }
  room "own" {
    join = "client.user_id == 'ann'"
  }
}
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'open:1'"
  }
}
flow "keep" {
  from {
    connector = "ws"
    operation = "keep"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'kept'"
  }
}
flow "greet" {
  from {
    connector = "ws"
    operation = "join_room"
  }
  accept {
    when = "input.room != 'open:not'"
  }
  response {
    welcome = "input.room"
  }
}
flow "kick" {
  from {
    connector = "ws"
    operation = "kick"
  }
  to {
    connector = "ws"
    operation = "disconnect"
    user      = "'ann'"
  }
}
`;

async function report(steps: string, config = CONFIG()): Promise<string> {
  const clock = new ManualClock();
  const model = await loadConfig(`${config}test "t" {\n${steps}\n}`, { now: () => clock.now() });
  return formatResult(await runTest(model, model.tests[0], { clock }));
}

const BOTH = `client "ann" {
  sse     = true
  user_id = "ann"
  rooms   = ["open:1", "own"]
}
client "bob" {
}
`;

test("a test client with sse is in its rooms and hears what is sent", async () => {
  const steps = `${BOTH}
    given "ann" { operation = "connect" }
    expect "ann" { data = { welcome = "open:1" } }
    expect "ann" { data = { welcome = "own" } }
    given "bob" { data = { n = 1 } }
    expect "ann" {
      room = "open:1"
      data = { n = 1 }
    }
    given "bob" { operation = "kick" }
    expect "ann" {
      type = "close"
      data = { code = 1008, reason = "disconnected by a flow" }
    }
    expect "ann" { nothing = true }`;
  assert.equal(await report(steps), "ok      t");
});

test("a test client with sse that is refused tells why", async () => {
  for (const [room, code] of [["own", "room_forbidden"], ["open:not", "rejected"]]) {
    const steps = `client "eve" {
  sse   = true
  rooms = ["open:1", "${room}"]
}
given "eve" { operation = "connect" }
expect "eve" {
  status = 403
  error  = "${code}"
}`;
    assert.equal(await report(steps), "ok      t");
  }
  const unready = await report(`client "eve" {
  sse   = true
  rooms = ["own"]
}
client "bob" {
}
given "bob" { data = 1 }`);
  assert.match(unready, /client "eve" could not connect: 403 room "own" is not for this client/);
});

test("a test client with sse resumes by its last event", async () => {
  const steps = `client "ann" {
  sse   = true
  rooms = ["kept"]
}
client "bob" {
}
given "bob" {
  operation = "keep"
  data      = { n = 1 }
}
expect "ann" { data = { n = 1 } }
given "ann" { operation = "disconnect" }
given "bob" {
  operation = "keep"
  data      = { n = 2 }
}
expect "ann" { nothing = true }
given "ann" { operation = "connect" }
expect "ann" { data = { n = 2 } }
expect "ann" { data = { welcome = "kept" } }`;
  assert.equal(await report(steps), "ok      t");
});

test("a test client with sse and presence is told who is there", async () => {
  const steps = `client "ann" {
  sse      = true
  user_id  = "ann"
  rooms    = ["open:1"]
  presence = true
}
given "ann" { operation = "connect" }
expect "ann" { data = { welcome = "open:1" } }
expect "ann" {
  type     = "presence"
  presence = {
    count   = 1
    members = [{ user_id = "ann", connections = 1 }]
  }
}`;
  assert.equal(await report(steps), "ok      t");
});

test("a test client with sse that does not read is slow", async () => {
  const config = CONFIG('sse = "/events"\nslow_client {\n queue = "1KB"\n }');
  const big = "x".repeat(400);
  const send = `given "bob" { data = { text = "${big}" } }\n`;
  const steps = `${BOTH.replace("sse     = true", "sse = true\nreads = false")}
    ${send.repeat(4)}
    given "ann" { reads = true }
    expect "ann" {
      type = "close"
      data = { code = 1013 }
    }`;
  assert.equal(await report(steps, config), "ok      t");
});

test("a test client with sse sends no frame, and needs a connector with streams", async () => {
  const problems = async (steps: string, config = CONFIG()): Promise<string[]> => {
    try {
      await report(steps, config);
    } catch (error) {
      if (error instanceof ConfigError) {
        return error.problems.filter(({ severity }) => severity === "error").map(placed);
      }
      throw error;
    }
    return [];
  };
  const line = CONFIG().split("\n").length + 7;
  for (const frame of ["data = 1", 'operation = "kick"', 'text = "{}"']) {
    assert.deepEqual(await problems(`${BOTH}given "ann" { ${frame} }`), [
      `config.hcl:${line + 1}:7+5 invalid-operation`,
    ]);
  }
  assert.deepEqual(await problems(`${BOTH}given "ann" { operation = "disconnect" }`), []);
  const telling = BOTH.replace('user_id = "ann"', 'presence = { status = "away" }');
  assert.deepEqual(await problems(`${telling}given "bob" { data = 1 }`), [
    `config.hcl:${CONFIG().split("\n").length + 3}:3+8 invalid-value`,
  ]);
  const bare = CONFIG("");
  assert.deepEqual(await problems(`${BOTH}given "bob" { data = 1 }`, bare), [
    `config.hcl:${bare.split("\n").length + 2}:13+4 unused-attribute`,
  ]);
});
