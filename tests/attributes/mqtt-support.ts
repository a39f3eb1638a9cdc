/** What the rows of the `mqtt` connector work with. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { makeAuthority } from "../support/certificate.ts";
import { until } from "../support/mq.ts";
import { SHARED_MQTT } from "../support/mosquitto.ts";
import { type Connect, readConnect } from "../support/mqtt-connect.ts";
import { refusingBroker } from "../support/mqtt-refusing.ts";
import { type Got, MqttBench } from "../support/mqtt.ts";
import { inWorld, REST, withFolder, type World, type WorldOptions } from "./support.ts";

/** The connector "devices", and a flow that publishes what `POST /events` brings. */
function config(connector: string, to: string): string {
  return `${REST}
    connector "devices" {
      type = "mqtt"
      ${connector}
    }
    flow "publish" {
      from {
        connector = "api"
        operation = "POST /events"
      }
      to {
        connector = "devices"
        target    = env("TOPIC")
        ${to}
      }
    }
  `;
}

const CONSUMES = `
  connector "a" {
    type = "sink"
  }
  flow "consume" {
    from {
      connector = "devices"
      operation = env("TOPIC")
    }
    transform {
      body = "input.body"
      qos  = "input._qos"
    }
    to { connector = "a" }
  }
`;

/** What a connector with these lines says first to a broker. */
export async function greeting(
  lines: string,
  show: (connect: Connect) => unknown,
): Promise<unknown> {
  let shown: unknown;
  const broker = await refusingBroker({
    protocol: /protocol += 4/.test(lines) ? 4 : 5,
    subscriptions: [1],
    hear: (first) => shown ??= show(readConnect(first)) ?? "nothing",
  });
  try {
    const url = lines.includes("url =") ? "" : 'url = env("URL")';
    const env = { TOPIC: "a", URL: broker.url };
    await inWorld(config(`${url}\n${lines}`, "") + CONSUMES, async () => {
      await until("its first packet", () => shown !== undefined);
    }, { env });
    return shown;
  } finally {
    broker.end();
  }
}

/**
 * How a start ends with these lines in `tls`: the name of the client's certificate, or why the broker's
 * is not taken.
 */
export function secured(lines: string | undefined): Promise<unknown> {
  return withFolder(async (folder) => {
    const authority = await makeAuthority(folder);
    const [server, client] = [await authority.issue("server"), await authority.issue("client")];
    for (const [name, path] of Object.entries({ cert: client.cert, key: client.key })) {
      await writeFile(join(folder, `${name}.pem`), await readFile(path));
    }
    let seen: unknown;
    const broker = await refusingBroker({
      protocol: 5,
      hear: (_, socket) => {
        const { subject } = (socket as TLSSocket).getPeerCertificate();
        seen = subject?.CN ?? "anonymous";
      },
      tls: {
        cert: server.pem,
        key: await readFile(server.key),
        ca: authority.pem,
        requestCert: true,
        rejectUnauthorized: false,
      },
    });
    try {
      const tls = lines === undefined ? "" : `tls {\n${lines}\n}`;
      const connector = `url = "${broker.url.replace("mqtt:", "mqtts:")}"\n${tls}`;
      const env = { TOPIC: "a" };
      await inWorld(config(connector, ""), () => Promise.resolve(), { env, folder });
      return seen;
    } catch (error) {
      if (!/cannot start: /.test(String(error))) throw error;
      return "not trusted";
    } finally {
      broker.end();
    }
  });
}

/** What a plain client gets of what is published. */
export async function published(
  { connector = "", to = "", payload = { n: 1 } as unknown },
  show: (got: Got) => unknown,
  late = false,
): Promise<unknown> {
  const bench = new MqttBench(SHARED_MQTT);
  try {
    const early = late ? undefined : await bench.hear("x");
    const lines = `url = "${SHARED_MQTT}"\n${connector}`;
    const env = { TOPIC: bench.below("x") };
    await inWorld(config(lines, to), async ({ request }) => {
      await request("POST /events", payload);
    }, { env });
    const got = early ?? await bench.hear("x");
    // What is retained is in front of it.
    const marker = await bench.client();
    await marker.publishAsync(bench.below("x"), "marker", { qos: 1 });
    const hasAll = () => got.length === 2 || (late && got.some(({ text }) => text === "marker"));
    await until("the marker", hasAll);
    const found = got.find(({ text }) => text !== "marker");
    await marker.publishAsync(bench.below("x"), "", { retain: true, qos: 1 });
    return found === undefined ? "nothing" : show(found);
  } finally {
    await bench.end();
  }
}

/** Runs a connector that consumes from the real broker with these lines. */
export async function consuming<T>(
  lines: string,
  look: (world: World, bench: MqttBench) => Promise<T>,
  options: WorldOptions = {},
): Promise<T> {
  const bench = new MqttBench(SHARED_MQTT);
  try {
    const connector = `url = "${SHARED_MQTT}"\n${lines}`;
    const env = { TOPIC: bench.below("x"), DEAD: bench.below("dead") };
    return await inWorld(config(connector, "") + CONSUMES, (world) => look(world, bench), {
      ...options,
      env,
    });
  } finally {
    await bench.end();
  }
}
