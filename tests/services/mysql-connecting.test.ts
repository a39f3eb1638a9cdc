/** How the driver of MySQL connects: where to, as whom, and whether the server is the right one. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { makeCertificate, withTemporaryFolder } from "../support/certificate.ts";
import { MariadbServer, SHARED_MARIADB, withMariadb } from "../support/mariadb.ts";
import { serviceTest } from "../support/services.ts";
import { keptPort } from "../support/ports.ts";
import { opened, probed, refused, rowsOf } from "./mysql-support.ts";

test("what is missing or wrong is said before anything is opened", async () => {
  const cases: readonly (readonly [Parameters<typeof probed>[0], RegExp])[] = [
    [{}, /needs the name of a database, such as database = "NAME"$/],
    [{ url: "mysql://h" }, /needs the name of a database, such as mysql:/],
    [
      { url: "postgres://u:secret@h/d" },
      /has a wrong url: it must be like mysql:\/\/user:password@host:3306/,
    ],
    [{ url: "mysql://u:se%cret@h/d" }, /has a wrong url: the % in its password is no escape/],
    [{ url: "mysql://h/a/b" }, /"\/" in a database's name is written %2F/],
    [{ url: "mysql://u:a#b@h/d" }, /url/],
    [{ url: "mysql://h/d?ssl=true" }, /has the parameter "ssl" in its url; use tls = true$/],
    [{ url: "mysql://h/d?connectionLimit=3" }, /use pool \{ max = … \}$/],
    [{ url: "mysql://h/d?constructor=1" }, /"constructor" in its url; a url has none/],
    [{ url: "mysql://u%00@h/d" }, /has a NUL in the user of its url/],
    [
      { url: "mysql://h/d?charset=latin1" },
      /has the parameter "charset" in its url; a url has none/,
    ],
    [{ url: "mysql://h/d", tls: { ca: "/no/such.pem" } }, /cannot read the file "\/no\/such\.pem"/],
  ];
  for (const [options, message] of cases) {
    const error = await refused(() => probed(options));
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret|se%cret|a#b/);
    assert.ok(error.permanent, error.message);
  }
});

await serviceTest("mariadb", "a url or its parts find the same database", async () => {
  await withMariadb(async ({ name, url }) => {
    for (const options of [{ url }, { url: url.replace("mysql:", "mariadb:") }]) {
      assert.match(await probed(options), new RegExp(`^"${name}" is there, on 11\\.`));
    }
    const parts = { host: "127.0.0.1", port: 3306, user: "root", database: name };
    assert.match(await probed(parts), /is there/);
  });
});

await serviceTest(
  "mariadb",
  "a session is in UTC, strict, and reads quotes as MySQL does",
  async () => {
    await withMariadb(async ({ url }) => {
      await using database = await opened({ url, statement_timeout: 1500 });
      const [row] = await rowsOf(
        database,
        `SELECT @@time_zone AS zone, @@sql_mode AS mode, @@character_set_client AS charset,
         @@max_statement_time AS most, "text" AS text, 'a\\'b' AS quote`,
      );
      assert.equal(row.zone, "+00:00");
      assert.match(String(row.mode), /STRICT_TRANS_TABLES/);
      assert.doesNotMatch(String(row.mode), /ANSI_QUOTES|NO_BACKSLASH_ESCAPES/);
      assert.deepEqual([row.charset, row.text, row.quote], ["utf8mb4", "text", "a'b"]);
      assert.equal(Number(row.most), 1.5);
    });
  },
);

await serviceTest(
  "mariadb",
  "a server that is away is asked again, a wrong database is not",
  async () => {
    const port = await keptPort();
    const away = await refused(() => probed({ url: `mysql://root@127.0.0.1:${port}/d` }));
    assert.match(away.message, /cannot open the database "d" at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    assert.equal(away.permanent, false);
    const url = SHARED_MARIADB.replace(/mysql$/, "no_such_database");
    const unknown = await refused(() => probed({ url }));
    assert.match(unknown.message, /Unknown database 'no_such_database'/);
    assert.equal(unknown.permanent, true);
  },
);

await serviceTest("mariadb-server", "who it is, and which server, is verified", async () => {
  const server = await MariadbServer.open({ tls: true });
  try {
    const { certificate } = server;
    assert.ok(certificate);
    await server.sql("CREATE USER 'a b'@'127.0.0.1' IDENTIFIED BY 'p@ss/ %#'");
    await server.sql("CREATE DATABASE d; GRANT SELECT ON d.* TO 'a b'@'127.0.0.1'");
    await withTemporaryFolder(async (folder) => {
      const other = await makeCertificate(folder, "other");
      const noPem = join(folder, "no.pem");
      await writeFile(noPem, "nothing");
      const url = server.url("d", "a b", "p@ss/ %#");
      const named = url.replace("127.0.0.1", "localhost");
      const ca = certificate.cert;
      const encrypted = "SHOW STATUS LIKE 'Ssl_cipher'";
      // By address and by name, both of which are in the certificate.
      for (const at of [url, named]) {
        await using database = await opened({ url: at, tls: { ca } });
        assert.notEqual((await rowsOf(database, encrypted))[0].Value, "");
      }
      {
        await using database = await opened({ url, tls: { ca, server_name: "localhost" } });
        assert.notEqual((await rowsOf(database, encrypted))[0].Value, "");
      }
      {
        await using database = await opened({ url });
        assert.equal((await rowsOf(database, encrypted))[0].Value, "");
      }
      const badName = /TLS failed: .*altnames/;
      const badSigner = /TLS failed: .*certificate/;
      const wrong: readonly (readonly [Parameters<typeof probed>[0], RegExp])[] = [
        [{ url, tls: { ca, server_name: "other.example" } }, badName],
        [{ url: named, tls: { ca, server_name: "other.example" } }, badName],
        [{ url, tls: { ca, server_name: "127.0.0.2" } }, badName],
        [{ url: named, tls: { ca, server_name: "127.0.0.2" } }, badName],
        [{ url, tls: { ca: other.cert } }, badSigner],
        [{ url: named, tls: { ca: other.cert } }, badSigner],
        [{ url, tls: {} }, badSigner],
        [{ url: server.url("d", "a b", "wrong"), tls: { ca } }, /Access denied/],
        [{ url: server.url("d", "a b", "wrong") }, /Access denied/],
        [{ url: server.url("mysql", "a b", "p@ss/ %#") }, /Access denied/],
        [{ url, tls: { ca: noPem } }, /tls\.ca/],
      ];
      for (const [options, message] of wrong) {
        const error = await refused(() => probed(options));
        assert.match(error.message, message);
        assert.ok(error.permanent, error.message);
        assert.doesNotMatch(error.message, /p@ss/);
      }
    });
  } finally {
    await server.end();
  }
});

await serviceTest(
  "mariadb-server",
  "a server without TLS is refused where TLS is asked for",
  async () => {
    const server = await MariadbServer.open();
    try {
      const error = await refused(() => probed({ url: server.url(), tls: {} }));
      assert.match(error.message, /the server has no TLS, and the connector asks for it with tls$/);
      assert.ok(error.permanent);
    } finally {
      await server.end();
    }
  },
);
