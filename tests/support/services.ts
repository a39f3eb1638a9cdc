/** Tests that need something that is not part of Weir: a broker, a database, a browser, a proxy. */

import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { connect } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { MOSQUITTO, NATS_SERVER, RABBITMQ_SERVER, REDIS_SERVER } from "./broker-programs.ts";
import { MARIADBD, mounts, postgresPrograms } from "./database-machine.ts";

/** A service that a test can need. */
export type Service =
  | "amqp-tools"
  | "caddy"
  | "chromium"
  | "docker-compose"
  | "mariadb"
  | "mariadb-server"
  | "mosquitto"
  | "mosquitto-clients"
  | "mosquitto-server"
  | "nats"
  | "nats-server"
  | "nginx"
  | "postgres"
  | "postgres-server"
  | "promtool"
  | "prometheus"
  | "python-websockets"
  | "rabbitmq"
  | "rabbitmq-server"
  | "redis"
  | "redis-cli"
  | "redis-server"
  | "systemd-analyze"
  | "tmpfs";

/** Whether a service is available, and if not, the reason. */
export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const probes: Readonly<Record<Service, () => Promise<Availability>>> = {
  "amqp-tools": () => exists("/usr/bin/amqp-publish"),
  "caddy": () => exists("/usr/bin/caddy"),
  "chromium": () => exists("/usr/bin/chromium"),
  "docker-compose": () => exists("/usr/bin/docker-compose"),
  "mariadb": () => answers("127.0.0.1", 3306),
  "mariadb-server": () => exists(MARIADBD),
  "mosquitto": () => answers("127.0.0.1", 1883),
  "mosquitto-clients": () => exists("/usr/bin/mosquitto_pub"),
  "mosquitto-server": () => exists(MOSQUITTO),
  "nats": jetstream,
  "nats-server": () => exists(NATS_SERVER),
  "nginx": () => exists("/usr/sbin/nginx"),
  "postgres": () => answers("127.0.0.1", 5432),
  "postgres-server": async () => {
    const reason = "there is no /usr/lib/postgresql/*/bin/postgres";
    return await postgresPrograms() === undefined ? { ok: false, reason } : { ok: true };
  },
  "prometheus": () => exists("/usr/bin/prometheus"),
  "promtool": () => exists("/usr/bin/promtool"),
  "python-websockets": () => succeeds("/usr/bin/python3", ["-c", "import websockets"]),
  "rabbitmq": () => answers("127.0.0.1", 5672),
  "rabbitmq-server": () => exists(RABBITMQ_SERVER),
  "redis": () => answers("127.0.0.1", 6379),
  "redis-cli": () => exists("/usr/bin/redis-cli"),
  "redis-server": () => exists(REDIS_SERVER),
  "systemd-analyze": () => exists("/usr/bin/systemd-analyze"),
  "tmpfs": mounts,
};

/** Checks whether a service is available, within five seconds. Never throws. */
export function service(name: Service): Promise<Availability> {
  return probes[name]();
}

/**
 * Registers a test that needs a service. Where the service is missing, the test is skipped and its
 * name has the reason. With `WEIR_TEST_REQUIRE_SERVICES` in the environment, it fails.
 */
export async function serviceTest(
  name: Service,
  testName: string,
  run: () => void | Promise<void>,
): Promise<void> {
  const found = await service(name);
  if (found.ok) {
    test(testName, async () => await run());
  } else if ((process.env.WEIR_TEST_REQUIRE_SERVICES ?? "") === "") {
    test.skip(`${testName} (${found.reason})`, () => {});
  } else {
    test(testName, () => {
      throw new Error(`${found.reason}, and WEIR_TEST_REQUIRE_SERVICES asks for it`);
    });
  }
}

function answers(host: string, port: number): Promise<Availability> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (availability: Availability) => {
      socket.destroy();
      resolve(availability);
    };
    const missing = { ok: false, reason: `nothing answers at ${host}:${port}` } as const;
    socket.setTimeout(5000, () => settle(missing));
    socket.once("connect", () => settle({ ok: true }));
    socket.on("error", () => settle(missing));
  });
}

/** It says so itself. */
async function jetstream(): Promise<Availability> {
  const found = await answers("127.0.0.1", 4222);
  if (!found.ok) return found;
  const reason = "the NATS at 127.0.0.1:4222 has no JetStream";
  return await new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: 4222 });
    const settle = (ok: boolean) => {
      socket.destroy();
      resolve(ok ? { ok } : { ok, reason });
    };
    socket.setTimeout(5000, () => settle(false));
    socket.once("data", (info) => settle(info.includes('"jetstream":true')));
    socket.on("error", () => settle(false));
  });
}

async function exists(path: string): Promise<Availability> {
  try {
    await access(path);
    return { ok: true };
  } catch {
    return { ok: false, reason: `there is no ${path}` };
  }
}

function succeeds(command: string, args: readonly string[]): Promise<Availability> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: 5000 }, (error) => {
      const reason = `\`${[command, ...args].join(" ")}\` fails`;
      resolve(error === null ? { ok: true } : { ok: false, reason });
    });
  });
}
