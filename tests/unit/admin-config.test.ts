/** The admin port of the `service` block. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { failuresOf, problemsOf } from "../support/config.ts";

const TOKEN = "0123456789abcdef";

function service(...lines: readonly string[]): string {
  return `service {\n${lines.map((line) => `  ${line}\n`).join("")}}\n`;
}

async function adminOf(...lines: readonly string[]) {
  const env = (name: string) => name === "ADMIN_TOKEN" ? TOKEN : undefined;
  return (await loadConfig(service(...lines), { env })).service.admin;
}

test("the admin port, its host and its token", async () => {
  assert.equal(await adminOf(), undefined);
  const [host, token] = ["127.0.0.1", undefined];
  assert.deepEqual(await adminOf("admin_port = 9090"), { host, port: 9090, token });
  assert.deepEqual(await adminOf('admin_port = "0"'), { host, port: 0, token });
  for (const own of ["127.0.0.1", "::1", "localhost"]) {
    const found = await adminOf("admin_port = 1", `admin_host = "${own}"`);
    assert.deepEqual(found, { host: own, port: 1, token });
  }
  assert.deepEqual(
    await adminOf(
      "admin_port = 65535",
      'admin_host = "0.0.0.0"',
      'admin_token = env("ADMIN_TOKEN")',
    ),
    { host: "0.0.0.0", port: 65_535, token: TOKEN },
  );
  for (const token of ["abcDEF012-._~+/0==", "x".repeat(1024)]) {
    assert.equal((await adminOf("admin_port = 1", `admin_token = "${token}"`))?.token, token);
  }
});

test("an address that other machines reach needs a token", async () => {
  for (const host of ["0.0.0.0", "::", "10.0.0.1", "127.0.0.2", "example.com", ""]) {
    const text = service("admin_port = 9090", `admin_host = "${host}"`);
    const place = `config.hcl:3:16+${host.length + 2}`;
    assert.deepEqual(await problemsOf(text), [`${place} missing-token`], host);
  }
  // The token that was meant has a problem of its own.
  for (const token of ['admin_token = "short"', `admin_tokn = "${TOKEN}"`]) {
    const text = service("admin_port = 9090", 'admin_host = "0.0.0.0"', token);
    const codes = (await failuresOf(text)).map(({ code }) => code);
    assert.equal(codes.length, 1, token);
    assert.ok(!codes.includes("missing-token"), token);
  }
});

test("a token that can be guessed or cannot be sent", async () => {
  const tokens = ["", "x".repeat(15), "x".repeat(1025), `${TOKEN} x`, `${TOKEN}ü`, `${TOKEN}\\n`];
  for (const token of [...tokens, "================"]) {
    const text = service("admin_port = 9090", `admin_token = "${token}"`);
    const [problem, ...more] = await failuresOf(text);
    assert.deepEqual([problem?.code, problem?.line, more.length], ["invalid-value", 3, 0], token);
  }
  const text = service("admin_port = 9090", "admin_token = 1234567890123456");
  assert.deepEqual(await problemsOf(text), ["config.hcl:3:17+16 invalid-value"]);
});

test("attributes of an admin port that there is not", async () => {
  const text = service('admin_host = "::1"', `admin_token = "${TOKEN}"`);
  assert.deepEqual(await problemsOf(text), [
    "config.hcl:2:16+5 unused-attribute",
    "config.hcl:3:17+18 unused-attribute",
  ]);
  // Nor are they reported where its name is misspelled.
  const misspelled = service("admin_prt = 9090", `admin_token = "${TOKEN}"`);
  assert.deepEqual(await problemsOf(misspelled), ["config.hcl:2:3+9 unknown-attribute"]);
});

test("a port that is none", async () => {
  for (const port of ["-1", "65536", '"x"', "1.5", "true"]) {
    const found = await failuresOf(service(`admin_port = ${port}`));
    assert.deepEqual(found.map(({ code }) => code), ["invalid-value"], port);
  }
});

test("the port of a connector cannot be the admin port, whatever its host", async () => {
  const connector = (name: string, port: number, more = "") =>
    `connector "${name}" {\n  type = "rest"\n  port = ${port}\n${more}}\n`;
  const text = connector("a", 9090, '  host = "10.0.0.1"\n') + service("admin_port = 9090") +
    connector("b", 90) + connector("c", 9090) + connector("d", 19090);
  const problems = await failuresOf(text);
  assert.deepEqual(problems.map(({ message }) => message), [
    'service: connector "a" at config.hcl:1 has the port 9090 as well',
    'service: connector "c" at config.hcl:13 has the port 9090 as well',
  ]);
  assert.deepEqual(await problemsOf(service("admin_port = 0") + connector("a", 0)), []);
});
