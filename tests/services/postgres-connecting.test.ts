/** PostgreSQL: where the server is, who signs in, and TLS. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readServer } from "../../src/connectors/database/drivers/postgres/server.ts";
import { makeCertificate } from "../support/certificate.ts";
import { PASSWORD } from "../support/database-server.ts";
import { withPostgresServer } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { test } from "node:test";
import { type Options, withOpen } from "./postgres-support.ts";

const read = (options: Options) => readServer("db", { driver: "postgres", ...options });

test("a url names everything, with escapes and brackets", async () => {
  const { tls: _, ...server } = await read({
    url: "postgresql://an%40na:p%2F%23%25w@[::1]:6000/a%2Fb?application_name=x%20y&sslmode=disable",
  });
  assert.deepEqual(server, {
    connector: "db",
    host: "::1",
    port: 6000,
    user: "an@na",
    password: "p/#%w",
    database: "a/b",
    applicationName: "x y",
    statementTimeout: undefined,
  });
});

test("what is not said has a default", async () => {
  const server = {
    connector: "db",
    host: "localhost",
    port: 5432,
    user: "postgres",
    password: undefined,
    database: "postgres",
    applicationName: "weir/db",
    tls: undefined,
    statementTimeout: undefined,
  };
  assert.deepEqual(await read({}), server);
  assert.deepEqual(await read({ url: "postgres://" }), server);
  const user = { ...server, user: "u", database: "u" };
  assert.deepEqual(await read({ user: "u" }), user);
  assert.deepEqual(await read({ url: "postgres://u@localhost" }), user);
});

test("sslmode turns TLS on, and always verifies", async () => {
  const tls = { ca: undefined, cert: undefined, key: undefined, serverName: undefined };
  assert.deepEqual((await read({ url: "postgres://h/d?sslmode=require" })).tls, tls);
  assert.deepEqual((await read({ url: "postgres://h/d?sslmode=verify-full" })).tls, tls);
});

const wrong: Readonly<Record<string, RegExp>> = {
  "": /has a wrong url: it must be like postgres:/,
  "mysql://h/d": /must be like postgres:/,
  "h:5432/d": /must be like postgres:/,
  "postgres:h": /must be like postgres:/,
  "postgres://h:99999/d": /has a wrong url/,
  "postgres://h:x/d": /has a wrong url/,
  "postgres://u:a%zz@h/d": /the % in its password is no escape; a plain % is written %25/,
  "postgres://u:secret#1@h/d": /"#" in a name or password is written %23|has a wrong url/,
  "postgres://u%00@h/d": /has a NUL in the user of its url/,
  "postgres://a,b/d": /has several hosts in its url; name one/,
  "postgres://h/d/e": /"\/" in a database's name is written %2F/,
  "postgres://h/d?sslmode=prefer": /sslmode=prefer in its url; disable, require and verify-full/,
  "postgres://h/d?sslrootcert=/ca.pem": /"sslrootcert" in its url; use tls \{ ca = … \}/,
  "postgres://h/d?statement_timeout=5": /use the attribute statement_timeout/,
  "postgres://h/d?constructor=5": /"constructor" in its url; sslmode and application_name are/,
  "postgres://u:secret@h/d?password=secret": /put the password before the host/,
};

test("a wrong url is final, says what is wrong and does not show the password", async () => {
  for (const [url, message] of Object.entries(wrong)) {
    await assert.rejects(read({ url }), (error: Error & { readonly permanent?: boolean }) => {
      assert.match(error.message, message, url);
      assert.doesNotMatch(error.message, /secret/);
      assert.equal(error.permanent, true);
      return true;
    });
  }
  const none = { ca: undefined, cert: undefined, key: undefined, server_name: undefined };
  await assert.rejects(read({ url: "postgres://h/d?sslmode=disable", tls: none }), /leave one of/);
  await assert.rejects(read({ host: "/tmp", tls: none }), /a Unix socket, which has none/);
});

test("a file of tls that is missing or wrong is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-postgres-"));
  try {
    const { cert, key } = await makeCertificate(folder, "client");
    const broken = join(folder, "broken.pem");
    await writeFile(
      broken,
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" +
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    );
    const none = { ca: undefined, cert: undefined, key: undefined, server_name: undefined };
    const refused = async (tls: Partial<typeof none | Record<string, string>>, why: RegExp) => {
      const options = { tls: { ...none, ...tls } as typeof none };
      await assert.rejects(read(options), { permanent: true, message: why });
    };
    const missing = join(folder, "missing.pem");
    await refused({ ca: missing }, /missing.pem" of tls.ca: there is no such file/);
    await refused({ ca: key }, /tls.ca: it has no certificate in PEM form/);
    await refused({ ca: broken }, /broken.pem" of tls.ca: it has a certificate that cannot be/);
    await refused({ cert, key: cert }, /tls.key: it has no private key in PEM form/);
    await refused({ cert, key: broken }, /tls.key: it has a key that cannot be read/);
    await refused({ cert }, /has cert without key in its tls/);
    await read({ tls: { ...none, ca: cert, cert, key } as never });
  } finally {
    await rm(folder, { recursive: true });
  }
});

await serviceTest("postgres-server", "who may sign in, and who is told why not", async () => {
  await withPostgresServer(async (server) => {
    const { port } = server;
    await withOpen({ url: server.url() }, async (database) => {
      assert.deepEqual(await database.describe(), []);
    });
    const refused = async (options: Options, message: RegExp, permanent = true) => {
      await assert.rejects(withOpen(options, () => Promise.resolve()), { message, permanent });
    };
    const host = "127.0.0.1";
    const parts = { host, port, user: "postgres", database: "postgres" };
    await refused(
      { ...parts, password: "wrong" },
      /cannot open database "postgres" at 127.0.0.1:\d+: password authentication failed.*; check the user "postgres"/,
    );
    await refused(parts, /the server asks for the password of "postgres"/);
    await refused({ ...parts, user: "nobody", password: "x" }, /check the user "nobody"/);
    await refused(
      { ...parts, database: "nosuch", password: PASSWORD },
      /database "nosuch" does not exist; make it, or name another/,
    );
    // The folder of its socket.
    const socket = { ...parts, host: server.folder, password: PASSWORD };
    await withOpen(socket, async (database) => assert.deepEqual(await database.describe(), []));
    await server.stop();
    await refused({ ...parts, password: PASSWORD }, /ECONNREFUSED|refused/, false);
  });
});

await serviceTest("postgres-server", "TLS verifies who the server is", async () => {
  await withPostgresServer(async (server) => {
    const { port, certificate, folder } = server;
    assert.ok(certificate);
    const other = await makeCertificate(folder, "other");
    const parts = { port, user: "postgres", password: PASSWORD, database: "postgres" };
    const none = { ca: undefined, cert: undefined, key: undefined, server_name: undefined };
    const ca = certificate.cert;
    const used = async (options: Options) => {
      await withOpen({ ...parts, ...options }, async (database) => {
        const statement = database.prepare(
          "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
          { rows: "all", background: true, names: [] },
        );
        assert.deepEqual(await database.query(statement, []), [{ ssl: true }]);
        const slow = database.prepare("select pg_sleep(20)", {
          rows: "all",
          background: true,
          names: [],
        });
        const reading = database.query(slow, []);
        setTimeout(() => "cancel" in reading && reading.cancel(), 100);
        await assert.rejects(Promise.resolve(reading), /cancel/);
      });
    };
    const refused = async (options: Options, message: RegExp) => {
      await assert.rejects(withOpen({ ...parts, ...options }, () => Promise.resolve()), {
        message,
        permanent: true,
      });
    };
    await used({ host: "localhost", tls: { ...none, ca } });
    await used({ host: "127.0.0.1", tls: { ...none, ca } });
    await used({ host: "127.0.0.1", tls: { ...none, ca, server_name: "localhost" } });
    await refused(
      { host: "localhost", tls: { ...none, ca: other.cert } },
      /the server's certificate is refused/,
    );
    await refused({ host: "localhost", tls: none }, /the server's certificate is refused/);
    await refused(
      { host: "localhost", tls: { ...none, ca, server_name: "other.example" } },
      /the server's certificate is refused/,
    );
  }, { tls: true });
});

await serviceTest("postgres-server", "a client may sign in with its certificate", async () => {
  const folder = await mkdtemp(join(tmpdir(), "weir-postgres-"));
  try {
    // Its name is "localhost", which must be the user's. The server reads it as another user.
    const client = await makeCertificate(folder, "client");
    await chmod(folder, 0o755);
    await chmod(client.cert, 0o644);
    await withPostgresServer(async (server) => {
      await server.sql("create role localhost login");
      const { port, certificate } = server;
      const { cert, key } = client;
      const tls = { ca: certificate?.cert, cert, key, server_name: undefined };
      const parts = { host: "localhost", port, user: "localhost", database: "postgres" };
      await withOpen({ ...parts, tls }, async (database) => {
        assert.deepEqual(await database.describe(), []);
      });
      const refused = async (options: Options, message: RegExp) => {
        await assert.rejects(withOpen({ ...parts, ...options }, () => Promise.resolve()), {
          message,
          permanent: true,
        });
      };
      const without = { ...tls, cert: undefined, key: undefined };
      await refused({ tls: without }, /requires a valid client certificate/);
      await refused({ tls, user: "postgres" }, /certificate authentication failed for user "post/);
      await refused({ password: "x" }, /no pg_hba.conf entry|pg_hba.conf rejects connection/);
    }, {
      tls: true,
      settings: { ssl_ca_file: client.cert },
      hba: [
        "hostnossl all localhost all reject",
        "hostssl all localhost all cert",
        "hostssl all postgres ::1/128 cert",
        "hostssl all postgres 127.0.0.1/32 cert clientcert=verify-full",
        "hostnossl all postgres 127.0.0.1/32 scram-sha-256",
      ],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});

await serviceTest("postgres", "a server without TLS is refused where TLS is wanted", async () => {
  const none = { ca: undefined, cert: undefined, key: undefined, server_name: undefined };
  const options = { host: "127.0.0.1", database: "postgres", tls: none };
  await assert.rejects(withOpen(options, () => Promise.resolve()), {
    message: /the server has no TLS; turn it on there, or leave tls out/,
    permanent: true,
  });
});
