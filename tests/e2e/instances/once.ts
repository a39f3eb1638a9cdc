/** What the service does once: its schedules, and events that `dedupe` knows. */
import assert from "node:assert/strict";
import { blocked, type Instance, type InstancesOfService } from "../../support/instances.ts";
import { pause, until } from "../../support/socket-probe.ts";
import type { LogServer, Noted } from "./log-server.ts";

/** The blocks of a service that writes to a log server each second. */
export const scheduled = `
  connector "log" {
    type     = "http"
    base_url = env("LOG_URL")
  }
  flow "tick" {
    when = "* * * * * *"
    to {
      connector = "log"
      operation = "POST /"
      transform {
        due  = "input.scheduled_at"
        from = "constants.name"
      }
    }
  }
  constants {
    name = env("NAME")
  }
`;

/** The blocks of a service whose flow writes to a log server, once for each key. */
export const deduped = `
  connector "log" {
    type     = "http"
    base_url = env("LOG_URL")
    timeout  = "30s"
  }
  flow "once" {
    from {
      connector = "ws"
      operation = "once"
    }
    dedupe {
      key = "input.key"
      ttl = "1m"
    }
    to {
      connector = "log"
      operation = "POST /"
      transform {
        key = "input.key"
      }
    }
  }
`;

/**
 * The oldest instance runs the schedules. It is stopped for 20 seconds and goes on, and its successor
 * is killed: every due time is fired, at most twice, and none by two instances at once.
 */
export async function schedules(
  service: InstancesOfService,
  log: LogServer,
  runtimes: readonly Instance["runtime"][],
): Promise<void> {
  const instances: Instance[] = [];
  // One after the other, so that their ages are known.
  for (const [index, runtime] of runtimes.entries()) {
    instances.push(
      await service.start(runtime, { env: { NAME: String(index), LOG_URL: log.url } }),
    );
  }
  const since = (begin: number) => log.noted.filter(({ at }) => at > begin);
  await until("the first instance's schedule", () => log.noted.length > 2);
  assert.deepEqual(new Set(log.noted.map(({ body }) => body.from)), new Set(["0"]));
  await blocked(instances[0], () => pause(20_000));
  await until("a second after it", () => log.noted.length > 22);
  // The one that was stopped is the youngest now.
  const back = performance.now();
  await pause(2_500);
  assert.deepEqual(new Set(since(back).map(({ body }) => body.from)), new Set(["1"]));
  instances[1].weir.signal("SIGKILL");
  const killedAt = performance.now();
  await until("the third instance's schedule", () => since(killedAt).some(isFrom("2")), 50);
  await pause(2_500);
  const due = log.noted.map(({ body }) => Date.parse(String(body.due)) / 1000);
  const [first] = due;
  const last = Math.max(...due);
  for (let second = first; second <= last; second++) {
    const count = due.filter((one) => one === second).length;
    assert.ok(count === 1 || count === 2, `second ${second - first} of ${last - first}: ${count}`);
  }
}

function isFrom(name: string): (noted: Noted) => boolean {
  return ({ body }) => body.from === name;
}

/** An event that comes to two instances is handled once, also where the first dies in the middle. */
export async function dedupes(
  service: InstancesOfService,
  log: LogServer,
  [first, second]: readonly Instance[],
): Promise<void> {
  const one = await service.connect(first);
  const two = await service.connect(second);
  const handled = (key: string) => log.noted.filter(({ body }) => body.key === key).length;
  const id = crypto.randomUUID();
  const keys = Array.from({ length: 20 }, (_, index) => `${id} ${index}`);
  await Promise.all(
    keys.flatMap((key) => [one, two].map((member) => member.say({ type: "once", data: { key } }))),
  );
  for (const key of keys) assert.equal(handled(key), 1, key);

  log.hold(true);
  const frame = { type: "once", data: { key: id } };
  void one.ask(frame);
  await until("the flow", () => handled(id) === 1);
  // It comes again while it is handled: it waits.
  const repeated = two.say(frame);
  await pause(1_000);
  assert.equal(handled(id), 1);
  first.weir.signal("SIGKILL");
  await until("the claim of a dead instance", () => handled(id) === 2, 50, 15_000);
  log.hold(false);
  await repeated;
  await two.say(frame);
  assert.equal(handled(id), 2);
}
