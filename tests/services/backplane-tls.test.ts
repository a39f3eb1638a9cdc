/** Backplanes over TLS, each with a broker of the test's own that speaks nothing else. */
import assert from "node:assert/strict";
import { ConnectorError } from "../../src/base/errors.ts";
import { Linked } from "../support/backplane.ts";
import type { TlsFiles } from "../support/broker-tls.ts";
import { makeCertificate } from "../support/certificate.ts";
import { NatsServer } from "../support/nats.ts";
import { type OwnServer, withServer } from "../support/own-server.ts";
import { RabbitServer } from "../support/rabbitmq.ts";
import { RedisServer } from "../support/redis.ts";
import { serviceTest } from "../support/services.ts";
import { linkedConfig, linksInstances, refusesInstances } from "./backplane-check-support.ts";

/** A server with certificates. */
type TlsServer = OwnServer & { readonly url: string; readonly tls: TlsFiles | undefined };

const drivers: Readonly<Record<"redis" | "nats" | "rabbitmq", () => Promise<TlsServer>>> = {
  redis: () => RedisServer.open({ tls: "clients" }),
  nats: () => NatsServer.open({ tls: "clients" }),
  rabbitmq: () => RabbitServer.open({ tls: "clients" }),
};

for (const driver of ["redis", "nats", "rabbitmq"] as const) {
  await serviceTest(`${driver}-server`, `${driver}: instances talk over TLS`, async () => {
    await withServer(drivers[driver](), (server) => talkOverTls(driver, server));
  });
}

async function talkOverTls(driver: string, { url, folder, tls }: TlsServer): Promise<void> {
  assert.ok(tls !== undefined);
  const { ca } = tls.authority;
  const other = await makeCertificate(folder, "other");
  const good = { ca, cert: tls.client.cert, key: tls.client.key, server_name: undefined };
  const service = `weir-test-${crypto.randomUUID().slice(0, 8)}`;
  const made: Linked[] = [];
  const make = async (files: Readonly<Record<string, string | undefined>>) => {
    const linked = await Linked.make({ driver, url: [url], tls: files }, service);
    made.push(linked);
    return linked;
  };
  const config = (file: string) =>
    linkedConfig(service, [
      `driver = "${driver}"`,
      `url = "${url}"`,
      `tls {\n ca = "${file}"\n cert = "${good.cert}"\n key = "${good.key}"\n }`,
    ]);
  try {
    const [one, two] = [await make(good), await make(good)];
    for (const linked of [one, two]) {
      await linked.open();
      assert.deepEqual(linked.calls, ["up"]);
      await linked.backplane.subscribe(["room"]);
    }
    await one.publish("room", "from one");
    await two.publish("room", "from two");
    for (const linked of [one, two]) {
      await linked.hears("room", "from one");
      await linked.hears("room", "from two");
    }
    await linksInstances(config(ca));

    const cases = [
      [{ ...good, ca: other.cert }, /tls\.ca names who may have signed it/],
      [{ ...good, server_name: "other.example" }, /tls\.server_name the name in it/],
      [{ ...good, cert: undefined, key: undefined }, /certificate.*tls\.cert and tls\.key/i],
    ] as const;
    for (const [files, expected] of cases) {
      const refused = await make(files);
      await assert.rejects(refused.open(), (error) => {
        assert.ok(error instanceof ConnectorError && error.permanent, String(error));
        assert.match(error.message, expected);
        return true;
      });
      assert.deepEqual(refused.calls, []);
    }
    assert.match(await refusesInstances(config(other.cert)), cases[0][1]);
  } finally {
    for (const { backplane } of made) await backplane.close();
  }
}
