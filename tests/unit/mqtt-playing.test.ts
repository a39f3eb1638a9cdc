/** In `weir test` a broker in memory routes as an MQTT broker does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runConfigTests } from "../../src/testing/config.ts";

/** A connector, flows, and tests. */
function config(options: string, flows: string, tests: string): string {
  return `
connector "devices" {
  type = "mqtt"
  url  = "mqtts://broker.example"
  ${options}
}
connector "ws" {
  type = "websocket"
  port = 0
}
${flows}
${tests}
`;
}

/** What comes to a filter is broadcast, with these lines of a transform. */
function hears(name: string, operation: string, lines: string, connector = "devices"): string {
  return `
flow "${name}" {
  from {
    connector = "${connector}"
    operation = "${operation}"
  }
  transform {
    flow = "'${name}'"
    ${lines}
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
`;
}

async function passes(text: string): Promise<void> {
  const { passed, report } = await runConfigTests(text);
  assert.ok(passed, report);
  assert.match(report, /^devices \(MQTT\): played by a broker in memory$/m);
}

test("filters, names, groups and metadata, each flow once", async () => {
  const flows = hears("state", "devices/{id}/state", 'id = "match.id"\nqos = "input._qos"') +
    hears("shared", "$share/g/devices/+/{what}", 'what = "match.what"') +
    hears("all", "devices/#", 'topic = "input._topic"\nkept = "input._retained"');
  await passes(config(
    "",
    flows,
    `
test "one message" {
  client "ada" {}
  given "devices" {
    operation = "devices/7/state"
    data      = { on = true }
  }
  expect "ada" { data = { flow = "state", id = "7", qos = 1 } }
  expect "ada" { data = { flow = "shared", what = "state" } }
  expect "ada" { data = { flow = "all", topic = "devices/7/state", kept = false } }
  expect "ada" { nothing = true }
}
`,
  ));
});

test("what fails is redelivered, and becomes a dead letter that a flow can take", async () => {
  const flows = `
flow "fails" {
  from {
    connector = "devices"
    operation = "in"
  }
  reject {
    when = "true"
    code = "unwanted"
  }
}
connector "letters" {
  type = "mqtt"
  url  = "mqtts://broker.example"
}
` +
    hears(
      "dead",
      "dead/letters",
      'dead = "[input.headers[\'x-weir-reason\'], input.headers.kind]"\nbody = "input.body"',
      "letters",
    );
  await passes(config(
    'consumer {\n    dlq {\n      topic = "dead/letters"\n    }\n  }',
    flows,
    `
test "a dead letter" {
  client "ada" {}
  given "devices" {
    operation = "in"
    data      = { n = 1 }
    headers   = { kind = "a" }
  }
  expect "devices" { error = "unwanted" }
  expect "ada" {
    data = {
      flow = "dead"
      body = { n = 1 }
      dead = ["unwanted: flow \\"fails\\" rejected the event", "a"]
    }
  }
}
`,
  ));
});

test("text is text, and comes back as it was sent", async () => {
  const flows = `
flow "switch" {
  from {
    connector = "devices"
    operation = "in/+"
  }
  to {
    connector = "devices"
    target    = "'out/' + input.body"
    headers   = { length = "size(input.body)", none = "input.headers.none" }
  }
}
` +
    hears(
      "out",
      "out/{what}",
      'body = "input.body"\nwhat = "match.what"\nheaders = "input.headers"',
    );
  await passes(config(
    'format = "text"',
    flows,
    `
test "text" {
  client "ada" {}
  given "devices" {
    operation = "in/x"
    data      = "ON"
  }
  expect "ada" { data = { flow = "out", body = "ON", what = "ON", headers = { length = "2" } } }
}
`,
  ));
});
