/** Tests that need something that is not part of Weir: a broker, a browser, a proxy. */

import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { connect } from "node:net";
import process from "node:process";
import { test } from "node:test";

/** A service that a test can need. */
export type Service =
  | "caddy"
  | "chromium"
  | "docker-compose"
  | "nginx"
  | "python-websockets"
  | "rabbitmq"
  | "redis"
  | "redis-server"
  | "systemd-analyze";

/** Whether a service is available, and if not, the reason. */
export type Availability = { readonly ok: true } | { readonly ok: false; readonly reason: string };

const probes: Readonly<Record<Service, () => Promise<Availability>>> = {
  "caddy": () => exists("/usr/bin/caddy"),
  "chromium": () => exists("/usr/bin/chromium"),
  "docker-compose": () => exists("/usr/bin/docker-compose"),
  "nginx": () => exists("/usr/sbin/nginx"),
  "python-websockets": () => succeeds("/usr/bin/python3", ["-c", "import websockets"]),
  "rabbitmq": () => answers("127.0.0.1", 5672),
  "redis": () => answers("127.0.0.1", 6379),
  "redis-server": () => exists("/usr/bin/redis-server"),
  "systemd-analyze": () => exists("/usr/bin/systemd-analyze"),
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
