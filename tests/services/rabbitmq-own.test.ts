/** A RabbitMQ of the test's own: TLS with certificates made here, its limits, and when it is frozen. */
import assert from "node:assert/strict";
import { ConnectorError } from "../../src/base/errors.ts";
import { makeCertificate } from "../support/certificate.ts";
import { flow, type Made, makeMq, request } from "../support/mq.ts";
import { RabbitServer } from "../support/rabbitmq.ts";
import { serviceTest } from "../support/services.ts";

/** The largest message that the node takes. */
const LARGEST = 4096;

/** Starts with these options; ends with the connector, or with the error of the start. */
async function withStarted(
  options: Record<string, unknown>,
  use: (made: Made | ConnectorError) => unknown,
): Promise<void> {
  const made = await makeMq({ driver: "rabbitmq", ...options });
  made.connector.subscribe("k", flow(() => undefined));
  try {
    const failure = await made.connector.start().then(() => undefined, (error) => error);
    await use(failure ?? made);
  } finally {
    await made.connector.close();
  }
}

await serviceTest("rabbitmq-server", "a RabbitMQ that demands TLS", async () => {
  const settings = [`max_message_size = ${LARGEST}`];
  const server = await RabbitServer.open({ tls: "clients", settings });
  try {
    await speaksTls(server);
    await hasLimits(server);
    await isFrozen(server);
  } finally {
    await server.end();
  }
});

/** The attributes that reach it. */
function address({ port, tls }: RabbitServer) {
  assert.ok(tls !== undefined);
  const { authority: { ca }, client: { cert, key } } = tls;
  return { host: "127.0.0.1", port, tls: { ca, cert, key, server_name: undefined } };
}

async function speaksTls(server: RabbitServer): Promise<void> {
  const good = address(server);
  const { port, tls } = good;
  const url = [`amqps://guest:guest@127.0.0.1:${port}`];
  for (
    const options of [good, { ...good, host: "localhost" }, {
      url,
      tls: { ...tls, server_name: "localhost" },
    }]
  ) {
    await withStarted(options, async (made) => {
      assert.ok(!(made instanceof ConnectorError), String(made));
      assert.equal(made.connector.health(), undefined);
      await made.connector.write(request("k", 1));
      assert.match(await made.connector.probe([], []), / answers$/);
    });
  }
  const other = await makeCertificate(server.folder, "other");
  const hint = /; tls\.ca names who may have signed it, tls\.server_name the name in it$/;
  const client = /: it refuses this client's certificate, or that it has none; tls\.cert and /;
  const cases = [
    [{ server_name: "other.example" }, hint],
    [{ ca: undefined }, hint],
    [{ ca: other.cert }, hint],
    [{ cert: undefined, key: undefined }, client],
    [{ cert: other.cert, key: other.key }, client],
    [{ cert: other.cert }, /cannot use the file ".*" of tls\.key: it is not the key of the/],
    [
      { ca: `${server.folder}/none.pem` },
      /cannot read the file ".*none.pem" of tls\.ca: there is no/,
    ],
    [{ ca: other.key }, /cannot use the file ".*other.key" of tls\.ca: it has no certificate/],
  ] as const;
  for (const [wrong, message] of cases) {
    await withStarted({ ...good, tls: { ...tls, ...wrong } }, (error) => {
      assert.ok(error instanceof ConnectorError && error.permanent, JSON.stringify(wrong));
      assert.match(error.message, message);
    });
  }
}

/** A message that is too large fails for good, and none of those that are on their way with it. */
async function hasLimits(server: RabbitServer): Promise<void> {
  await withStarted(address(server), async (made) => {
    assert.ok(!(made instanceof ConnectorError));
    const sizes = [1, 2, 3, LARGEST, 4, 5];
    const errors = await Promise.all(sizes.map(async (size) => {
      try {
        await made.connector.write(request("k", "x".repeat(size)));
      } catch (error) {
        return error as ConnectorError;
      }
    }));
    assert.deepEqual(errors.flatMap((error, at) => error?.permanent ? [sizes[at]] : []), [LARGEST]);
    await made.connector.write(request("k", "next"));
  });
}

/** A broker that says nothing is found by its silence, and nothing waits for it without an end. */
async function isFrozen(server: RabbitServer): Promise<void> {
  const queue = { name: "q", durable: true, exclusive: false, auto_delete: false };
  const { connector } = await makeMq({ driver: "rabbitmq", ...address(server), queue });
  connector.subscribe("k", flow(() => undefined));
  await connector.start();
  await connector.consume();
  await connector.write(request("k", "before"));
  await server.freeze();
  const begin = performance.now();
  const ends = [
    // Whichever comes first: on a busy machine the heartbeats are counted late.
    assert.rejects(
      async () => await connector.write(request("k", "unknown")),
      /no heartbeat|has not confirmed within 5 s/,
    ),
    connector.stop().then(() => connector.close()),
  ];
  await Promise.all(ends);
  assert.ok(performance.now() - begin < 10_000);
}
