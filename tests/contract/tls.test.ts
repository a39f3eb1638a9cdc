/** A listener that speaks TLS: for every connector on its port, with a certificate that is checked. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import type { Service } from "../../src/server/mod.ts";
import {
  type Certificate,
  makeCertificate,
  openssl,
  openTunnel,
  secureGet,
  withTemporaryFolder,
} from "../support/certificate.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { flows, websocket } from "../support/socket-contract.ts";
import { hosts } from "../support/socket-hosts.ts";
import { Probe, until } from "../support/socket-probe.ts";

const [served, ...embedded] = hosts;

const tls = (cert = "cert.pem", key = "cert.key") => `
  tls {
    cert = "./${cert}"
    key  = "./${key}"
  }
`;

interface Secure {
  readonly folder: string;
  readonly certificate: Certificate;
  readonly service: Service;
  readonly port: number;
  connect(target?: string): Promise<SocketClient>;
}

/** The runtime's own `serve`, with a configuration that stands beside `cert.pem` and `cert.key`. */
async function serve(config: string, folder: string): Promise<Service> {
  const { serve } = await import(`../../src/${served.name.split(" ")[0]}.ts`);
  const files = [{ path: "live.hcl", text: config, folder }];
  return await serve(files, { connectors: new Probe().connectors });
}

function secureTest(name: string, config: string, run: (secure: Secure) => Promise<void>): void {
  test(`${served.name}: tls: ${name}`, () =>
    withTemporaryFolder(async (folder) => {
      const certificate = await makeCertificate(folder, "cert");
      const service = await serve(config, folder);
      const [port] = Object.values(service.ports);
      const tunnel = await openTunnel(port, certificate);
      try {
        await run({
          folder,
          certificate,
          service,
          port,
          async connect(target = "/ws") {
            const client = await SocketClient.connect(tunnel.port);
            client.write(handshakeText(target));
            await client.upgraded();
            return client;
          },
        });
      } finally {
        // Clients that are gone need not be closed.
        await tunnel.close();
        await service.close();
      }
    }));
}

secureTest("a client is served over wss", websocket(tls()) + flows, async (t) => {
  assert.deepEqual(t.service.addresses, [`wss://localhost:${t.port}/ws`]);
  const [client, other] = [await t.connect(), await t.connect()];
  for (const data of ["hello", "x".repeat(500_000), null]) {
    assert.deepEqual(await client.ask({ type: "echo", id: 1, data }), {
      type: "ack",
      id: 1,
      data: { data },
    });
  }
  const sent = Array.from({ length: 500 }, (_, n) => [n, "y".repeat(n % 10 === 0 ? 5_000 : n)]);
  for (const data of sent) assert.equal(await t.service.runtime.broadcast(data), 2);
  for (const one of [client, other]) {
    assert.deepEqual((await one.hearMany(sent.length)).map(({ data }) => data), sent);
  }
  client.close(1000);
  assert.equal((await client.finish()).ending.code, 1000);
});

secureTest(
  "rest and static share the port, and rest needs no word about it",
  `${websocket(`${tls()}\nstatic = "."`)}
  connector "api" {
    type = "rest"
    port = 0
  }
  flow "hello" {
    from {
      connector = "api"
      operation = "GET /hello"
    }
    response {
      hello = "'over TLS'"
    }
  }`,
  async ({ service, port, certificate, folder, connect }) => {
    await writeFile(join(folder, "page.txt"), "a page");
    const at = `localhost:${port}`;
    assert.deepEqual(service.addresses, [`wss://${at}/ws`, `https://${at}`]);
    const get = (path: string) => secureGet(port, path, certificate);
    assert.deepEqual(await get("/hello"), { status: 200, body: '{"hello":"over TLS"}' });
    assert.deepEqual(await get("/page.txt"), { status: 200, body: "a page" });
    assert.equal((await get("/health/live")).status, 200);
    assert.equal((await get("/ws")).status, 426);
    await (await connect()).hearsNothing();
  },
);

secureTest("who speaks no TLS is told nothing", websocket(tls()) + flows, async (t) => {
  const client = await SocketClient.connect(t.port);
  let answer = "";
  client.socket.on("data", (bytes) => answer += bytes.toString("latin1"));
  client.write(handshakeText("/ws"));
  await until("an end", () => client.socket.destroyed || client.socket.readableEnded);
  assert.doesNotMatch(answer, /HTTP|weir/i);
  await (await t.connect()).hearsNothing();
});

secureTest("TLS 1.2 and 1.3 are spoken, 1.1 is not", websocket(tls()), async ({ port, folder }) => {
  const spoken = async (version: string): Promise<boolean> => {
    // The client's own rules would forbid the oldest ones.
    const old = ["-cipher", "DEFAULT@SECLEVEL=0"];
    const target = ["-connect", `127.0.0.1:${port}`, `-${version}`, ...old];
    return /Cipher is (?!\(NONE\))/.test(await openssl(["s_client", ...target], folder));
  };
  const versions = ["tls1_1", "tls1_2", "tls1_3"];
  assert.deepEqual(await Promise.all(versions.map(spoken)), [false, true, true]);
});

secureTest(
  "a client that never begins with TLS is closed, and a shutdown does not wait for it",
  websocket(tls()) + flows,
  async ({ port, service, connect: open }) => {
    const [silent, late] = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
    for (const socket of [silent, late]) socket.on("error", () => {}).resume();
    const client = await open();
    // Seconds pass on purpose: that is how long it may take to begin.
    const { promise: closed, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error("it is still open")), 25_000);
    silent.once("close", resolve);
    await closed.finally(() => clearTimeout(timer));
    await client.hearsNothing();
    late.destroy();
    const another = connect(port, "127.0.0.1");
    another.on("error", () => {});
    await new Promise((resolve) => another.once("connect", resolve));
    const [{ ending }] = await Promise.all([client.finish(), service.close()]);
    assert.deepEqual(ending, { code: 1001, reason: "the server is shutting down" });
    another.destroy();
  },
);

secureTest("a client that does not read is closed", websocket(tls()) + flows, async (t) => {
  const slow = await t.connect();
  slow.socket.pause();
  const { runtime } = t.service;
  const filler = "x".repeat(64 * 1024);
  for (let n = 0; await runtime.broadcast([n, filler]) > 0; n++) {
    assert.ok(n < 2000, "it was not called slow");
    await new Promise((resolve) => setImmediate(resolve));
  }
  slow.socket.resume();
  const { messages, ending } = await slow.finish();
  assert.deepEqual(messages.map(({ data }) => (data as unknown[])[0]), [...messages.keys()]);
  assert.equal(ending.code, 1013);
});

/** What a start is refused with. */
async function refusal(config: string, folder: string): Promise<ConnectorError> {
  try {
    await (await serve(config, folder)).close();
  } catch (error) {
    assert.ok(error instanceof ConnectorError, String(error));
    return error;
  }
  assert.fail("it started");
}

test(`${served.name}: tls: files that cannot be used are named, before anything begins`, () =>
  withTemporaryFolder(async (folder) => {
    await makeCertificate(folder, "cert");
    await makeCertificate(folder, "other");
    await writeFile(join(folder, "note.txt"), "no certificate");
    await writeFile(
      join(folder, "broken.pem"),
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    );
    await openssl(["x509", "-in", "cert.pem", "-outform", "der", "-out", "cert.der"], folder);
    const locked = ["-aes128", "-passout", "pass:x", "-out", "locked.key"];
    await openssl(["pkey", "-in", "cert.key", ...locked], folder);
    const at = (name: string) => `${folder}/${name}`;
    const noCertificate = (name: string) => `tls cert: ${at(name)} is not a PEM certificate`;
    const noKey = (name: string) =>
      `tls key: ${at(name)} is not a PEM private key without a passphrase`;
    const missing = (part: string, name: string) =>
      `tls ${part}: ${at(name)} cannot be read: there is no such file`;
    const cases: readonly (readonly [cert: string, key: string, message: string])[] = [
      ["missing.pem", "cert.key", missing("cert", "missing.pem")],
      ["cert.pem", "missing.key", missing("key", "missing.key")],
      ["note.txt", "cert.key", noCertificate("note.txt")],
      ["broken.pem", "cert.key", noCertificate("broken.pem")],
      ["cert.der", "cert.key", noCertificate("cert.der")],
      ["cert.key", "cert.pem", noCertificate("cert.key")],
      ["cert.pem", "note.txt", noKey("note.txt")],
      ["cert.pem", "cert.pem", noKey("cert.pem")],
      ["cert.pem", "locked.key", noKey("locked.key")],
      [
        "cert.pem",
        "other.key",
        `tls key: ${at("other.key")} does not match the certificate in ${at("cert.pem")}`,
      ],
    ];
    for (const [cert, key, message] of cases) {
      // A database that could not be opened would be told of first.
      const database = `connector "db" {
        type     = "database"
        driver   = "sqlite"
        database = "./note.txt/no.db"
      }`;
      const error = await refusal(database + websocket(tls(cert, key)), folder);
      assert.equal(error.message, `connector "ws": ${message}`);
      assert.equal(error.connector, "ws");
    }
    const folderAsFile = await refusal(websocket(tls(".")), folder);
    assert.match(folderAsFile.message, /^connector "ws": tls cert: .* cannot be read: /);
  }));

test(`${served.name}: tls: connectors on one port must have the same`, () =>
  withTemporaryFolder(async (folder) => {
    const certificate = await makeCertificate(folder, "cert");
    await makeCertificate(folder, "other");
    const two = (first: string, second: string, port = 0) => `
      connector "first" {
        type = "websocket"
        port = ${port}
        ${first}
      }
      connector "second" {
        type = "websocket"
        port = 0
        path = "/second"
        ${second}
      }
    `;
    const message = 'connector "first": tls: shares its port with second, whose tls differs; ' +
      "make them the same";
    const other = tls("other.pem", "other.key");
    for (const [a, b] of [[tls(), ""], ["", tls()], [tls(), other]]) {
      assert.equal((await refusal(two(a, b), folder)).message, message);
    }
    const service = await serve(two(tls(), tls()), folder);
    const tunnel = await openTunnel(service.ports.first, certificate);
    for (const path of ["/ws", "/second"]) {
      const client = await SocketClient.connect(tunnel.port);
      client.write(handshakeText(path));
      await client.upgraded();
      client.destroy();
    }
    await service.close();
    await tunnel.close();
  }));

for (const host of embedded) {
  test(`${host.name}: tls: the embedding server decides, and the files are not read`, async () => {
    const running = await host.start(websocket(tls("missing.pem", "missing.key")) + flows, {
      connectors: new Probe().connectors,
    });
    const client = await SocketClient.connect(running.port);
    client.write(handshakeText(`${host.mount}/ws`));
    await client.upgraded();
    await client.hearsNothing();
    client.destroy();
    await running.close();
  });
}
