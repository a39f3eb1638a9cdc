import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { authField } from "../../src/access/auth/fields.ts";
import { tokenSources } from "../../src/access/auth/token.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { pair, SECRET, sign } from "../support/auth.ts";
import { api, bearer, show, withApi } from "./rest-auth-support.ts";

const PAGE = await readFile(new URL("../../docs/auth.md", import.meta.url), "utf8");
const examples = [...PAGE.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, text]) => text);

test("auth page: its examples are valid, without a warning", async () => {
  assert.ok(examples.length >= 6);
  const { pem } = await pair("ES256");
  const flows = examples.filter((text) => text.startsWith("flow")).join("");
  const configurations = examples.filter((text) => !text.startsWith("flow")).map((text) =>
    text.startsWith("connector")
      ? text
      : `connector "ws" {\ntype = "websocket"\nport = 0\n${text}}\n${flows}`
  );
  for (const configuration of configurations) {
    const { connectors, warnings } = await loadConfig(configuration, {
      env: (name) => name === "JWT_SECRET" ? SECRET : undefined,
      readFile: (path) => {
        assert.match(path, /issuer\.pem$/);
        return Promise.resolve(pem);
      },
    });
    assert.equal(connectors.size, 1);
    assert.deepEqual(warnings, []);
  }
});

test("auth page: it names every attribute, and every default of from", () => {
  const { jwt, ...others } = authField.fields ?? {};
  for (const name of [...Object.keys(jwt?.fields ?? {}), ...Object.keys(others)]) {
    assert.match(PAGE, new RegExp(`\`${name}\`|\\b${name} += `), name);
  }
  const [, written] = /By default `(\[.*\])`/.exec(PAGE) ?? [];
  assert.equal(JSON.stringify(JSON.parse(written)), others["from"].default);
  assert.ok("value" in tokenSources().parse(JSON.parse(written)));
});

test("auth page: the user expression that admits some roles refuses all others", async () => {
  const example = examples.find((text) => text.includes("claims.role in")) ?? assert.fail();
  const block = example.replace('env("JWT_SECRET")', JSON.stringify(SECRET));
  await withApi(api(block) + show(), async ({ ask }) => {
    const statusOf = async (claims: Readonly<Record<string, unknown>>) =>
      (await ask("/me", bearer(await sign(claims)))).status;
    for (const role of ["customer", "agent", "moderator"]) {
      assert.equal(await statusOf({ role }), 200, role);
    }
    for (const role of ["admin", "agents", "", null, undefined, ["agent"]]) {
      assert.equal(await statusOf({ role }), 401, String(role));
    }
  });
});
