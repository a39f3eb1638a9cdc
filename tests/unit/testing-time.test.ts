import assert from "node:assert/strict";
import { test } from "node:test";
import { defineConnector } from "../../src/contract/definition.ts";
import { reportOf } from "./testing-support.ts";

async function report(flows: string, steps: string): Promise<string> {
  const text = await reportOf(`${flows}test "time" {\n${steps}\n}\n`);
  const before = flows.split("\n").length;
  return text.replaceAll(/@(\d+)/g, (_, line) => `@${Number(line) - before}`);
}

const advance = (by: string) => `advance { by = "${by}" }\n`;

const RETRY = `flow "retry" {
  from {
    connector = "rabbit"
    operation = "send"
  }
  to { connector = "mail" }
  error_handling {
    retry {
      attempts = 3
      delay    = "100ms"
      backoff  = "exponential"
    }
  }
}
`;
const FAILING = `mock "mail" { error = "is full" }
given "rabbit" { operation = "send" }
`;
const sent = (count: number) => `expect "mail" { count = ${count} }\n`;

test("retries wait for the clock, 100 ms and then 200 ms, without jitter", async () => {
  const steps = FAILING + sent(1) + advance("99ms") + sent(0) + advance("1ms") + sent(1) +
    advance("199ms") + sent(0) + advance("1ms") + sent(1) +
    'expect "rabbit" { error = "flow_failed" }';
  assert.equal(await report(RETRY, steps), "ok      time");
});

test("one advance passes all that is due on the way", async () => {
  const steps = FAILING + advance("300ms") + sent(3) + 'expect "rabbit" { error = "flow_failed" }';
  assert.equal(await report(RETRY, steps), "ok      time");
});

test("a flow that still waits at the end of its test has not failed", async () => {
  assert.equal(await report(RETRY, FAILING + sent(1)), "ok      time");
});

test("a failure in an advance is told at its place", async () => {
  assert.equal(
    await report(RETRY, FAILING + sent(1) + advance("300ms")),
    `FAILED  time
        @4  flow "retry" failed: flow_failed: connector "mail": is full`,
  );
});

const SCHEDULES = `flow "often" {
  when = "@every 10m"
  transform { at = "input.scheduled_at" }
  to {
    connector = "mail"
    target    = "often"
  }
}
flow "daily" {
  when = "0 0 2 1 *"
  transform { at = "now()" }
  to {
    connector = "mail"
    target    = "daily"
  }
}
`;

test("schedules run when their time has come", async () => {
  const steps = `mock "mail" {}
${advance("9m")}expect "mail" { nothing = true }
${advance("1m")}expect "mail" {
  target = "often"
  data   = { at = "2026-01-01T00:10:00.000Z" }
}
${advance("20m")}expect "mail" {
  target = "often"
  count  = 2
}
expect "mail" { nothing = true }`;
  assert.equal(await report(SCHEDULES, steps), "ok      time");
});

test("cron patterns follow the clock of the test as well, in the process's time zone", async () => {
  const steps = `mock "mail" {}
${advance("2d")}expect "mail" {
  target = "daily"
  count  = 1
}`;
  assert.equal(await report(SCHEDULES, steps), "ok      time");
});

test("a scheduled flow that fails, fails the test", async () => {
  const steps = `mock "mail" { error = "is full" }\n${advance("10m")}`;
  assert.equal(
    await report(SCHEDULES, steps),
    `FAILED  time
        @2  flow "often" failed: flow_failed: connector "mail": is full`,
  );
});

const CLOCK = `flow "clock" {
  from {
    connector = "rabbit"
    operation = "tell"
  }
  transform {
    now  = "now()"
    unix = "now_unix()"
  }
  to { connector = "mail" }
}
`;

test("now() and now_unix() are the clock's, which begins at the same time in every test", async () => {
  const steps = `mock "mail" {}
given "rabbit" { operation = "tell" }
expect "mail" { data = { now = "2026-01-01T00:00:00.000Z", unix = 1767225600 } }
${advance("1d")}given "rabbit" { operation = "tell" }
expect "mail" { data = { now = "2026-01-02T00:00:00.000Z", unix = 1767312000 } }`;
  const tests = `test "a" {\n${steps}\n}\ntest "b" {\n${steps}\n}\n`;
  assert.equal(await reportOf(CLOCK + tests), "ok      a\nok      b");
});

const DEDUPE = `flow "once" {
  from {
    connector = "rabbit"
    operation = "send"
  }
  dedupe {
    key = "input.id"
    ttl = "10m"
  }
  to { connector = "mail" }
}
`;

test("a key of dedupe runs out with the clock", async () => {
  const given = 'given "rabbit" {\n operation = "send"\n data = { id = 1 }\n}\n';
  const steps = 'mock "mail" {}\n' + given + given + sent(1) + advance("599s") + given + sent(0) +
    advance("1s") + given + sent(1);
  assert.equal(await report(DEDUPE, steps), "ok      time");
});

const TIMEOUT = `flow "slow" {
  timeout = "5s"
  from {
    connector = "rabbit"
    operation = "send"
  }
  step "asked" {
    connector = "mail"
    timeout   = "1s"
    on_error  = "skip"
    default   = "late"
  }
  to {
    connector = "ws"
    operation = "broadcast"
    transform { asked = "step.asked" }
  }
  to {
    connector = "mail"
    target    = "slow"
  }
}
`;
const asked = (delay: string) =>
  `client "alice" {}
mock "mail" {
  step    = "asked"
  returns = "soon"
  delay   = "${delay}"
}
mock "mail" {
  target = "slow"
  delay  = "1h"
}
given "rabbit" { operation = "send" }
`;

test("a step's timeout and a mock's delay are on the same clock", async () => {
  const soon = asked("999ms") + advance("998ms") + 'expect "alice" { nothing = true }\n' +
    advance("1ms") + 'expect "alice" { data = { asked = "soon" } }';
  assert.equal(await report(TIMEOUT, soon), "ok      time");
  const late = asked("1001ms") + advance("999ms") + 'expect "alice" { nothing = true }\n' +
    advance("1ms") + 'expect "alice" { data = { asked = "late" } }';
  assert.equal(await report(TIMEOUT, late), "ok      time");
});

test("a flow's timeout is on the clock", async () => {
  const steps = asked("1ms") + advance("4999ms") + 'expect "mail" { target = "slow" }\n' +
    advance("1ms");
  assert.equal(
    await report(TIMEOUT, steps),
    `FAILED  time
        @14  flow "slow" failed: timeout: timed out after 5000 ms`,
  );
  assert.equal(
    await report(TIMEOUT, `${steps}expect "rabbit" { error = "timeout" }`),
    "ok      time",
  );
});

test("a broker's message comes again when the clock says so", async () => {
  const connector = `connector "again" {
  type   = "mq"
  driver = "memory"
  queue { name = "q" }
  consumer {
    dlq {
      max_retries = 2
      retry_delay = "1m"
    }
  }
}
flow "again" {
  from {
    connector = "again"
    operation = "send"
  }
  to { connector = "mail" }
}
`;
  const steps = 'mock "mail" { error = "is full" }\ngiven "again" { operation = "send" }\n' +
    sent(1) + advance("59s") + sent(0) + advance("1s") + sent(1) + advance("1m") + sent(1) +
    advance("1h") + sent(0) + 'expect "again" {\n error = "flow_failed"\n count = 3\n}';
  assert.equal(await report(connector, steps), "ok      time");
});

test("timers that are due again at once hold time up", async () => {
  const restless = defineConnector({
    fields: {},
    test: (options) => options,
    create: (_options, { clock }) => ({
      consume() {
        const again = (): void => void clock.after(0, again);
        again();
        return Promise.resolve();
      },
    }),
  });
  const blocks = `connector "restless" {
  type = "restless"
}
test "time" {
  ${advance("1s")}}
`;
  assert.equal(
    await reportOf(blocks, { restless }),
    "FAILED  time\n        @5  timers are due again and again at the same time",
  );
});
