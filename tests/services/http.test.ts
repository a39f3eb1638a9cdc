/** The `http` connector against an API that misbehaves: raw bytes, written by each case. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { callOnce, until, withApi } from "../support/http-api.ts";
import { identity, withTlsApi } from "../support/http-tls.ts";
import { connectionCases } from "./http-cases/connections.ts";
import { redirectCases } from "./http-cases/redirects.ts";
import { responseCases } from "./http-cases/responses.ts";

for (
  const { name, answer, connector = "", to = "", expected, requests = 1 } of [
    ...connectionCases,
    ...responseCases,
    ...redirectCases,
  ]
) {
  test(name, async () => {
    await withApi(answer, async (api) => {
      const operation = to.includes("operation") ? "" : 'operation = "GET /x"\n';
      const { result, error } = await callOnce(api.url, { connector, to: operation + to });
      if (error === undefined) assert.deepEqual({ result }, expected);
      else {
        const { message, status, body } = error;
        const words = message.replace(/^connector "api": (?:GET|POST) \/x /, "");
        const seen = {
          error: words.replace(api.url, "URL"),
          ...(status !== undefined && { status }),
          ...(status !== undefined && (body !== null || "body" in expected) && { body }),
        };
        assert.deepEqual(seen, expected);
        // Nothing is left of what has no end. (What is compressed has one.)
        if (/took|more than \d+ bytes/.test(words) && !name.startsWith("a bomb")) {
          await until("the connection to be closed", () => api.open === 0);
        }
      }
      assert.equal(api.asked.length, requests);
    });
  });
}

for (
  const [lines, expected] of [
    ["", "failed: the certificate of the server is not trusted"],
    [
      'ca = "ca.pem"\nserver_name = "orders.internal"',
      "failed: the certificate of the server is for another name",
    ],
    ['ca = "client.pem"', "failed: the certificate of the server is not trusted"],
  ]
) {
  test(`a certificate, with ${lines.replace("\n", ", ") || "no authority of its own"}`, async () => {
    await withTlsApi(identity, async (api, folder) => {
      const connector = lines === "" ? "" : `tls {\n${lines}\n}`;
      const { error } = await callOnce(api.url, { connector, to: 'operation = "GET /x"', folder });
      assert.equal(error?.message, `connector "api": GET /x ${expected}`);
      assert.deepEqual(api.asked, []);
    });
  });
}

test("a file of tls that is not there ends the start, and is named", async () => {
  const connector = 'tls {\nca = "/nowhere/ca.pem"\n}';
  await assert.rejects(
    callOnce("https://127.0.0.1:1", { connector, to: 'operation = "GET /x"' }),
    {
      message:
        'connector "api": cannot read the file "/nowhere/ca.pem" of tls.ca: there is no such file',
    },
  );
});
