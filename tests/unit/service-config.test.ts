import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { problemsOf } from "../support/config.ts";

const DEFAULTS = {
  name: undefined,
  version: undefined,
  admin: undefined,
  shutdownTimeout: 30_000,
  shutdownSpread: 2_000,
  traceRatio: 1,
};

async function service(text: string) {
  return (await loadConfig(text, { env: (name) => name === "RELEASE" ? "7" : undefined })).service;
}

test("a configuration without a service block has its defaults", async () => {
  assert.deepEqual(await service(""), DEFAULTS);
  assert.deepEqual(await service("service {\n}\n"), DEFAULTS);
});

test("what the block says", async () => {
  const text = `
    service {
      name             = "chat"
      version          = env("RELEASE")
      shutdown_timeout = "1m"
      shutdown_spread  = "0s"
      trace_ratio      = 0.01
    }
  `;
  assert.deepEqual(await service(text), {
    name: "chat",
    version: "7",
    admin: undefined,
    shutdownTimeout: 60_000,
    shutdownSpread: 0,
    traceRatio: 0.01,
  });
});

test("a timeout shorter than the default spread is fine; a spread that is written is compared", async () => {
  const { shutdownTimeout } = await service('service {\n  shutdown_timeout = "1s"\n}\n');
  assert.equal(shutdownTimeout, 1_000);
  const wrong = 'service {\n  shutdown_timeout = "1s"\n  shutdown_spread = "2s"\n}\n';
  assert.deepEqual(await problemsOf(wrong), [
    "config.hcl:3:21+4 invalid-limits",
  ]);
});

test("a second block is an error that names both places", async () => {
  assert.deepEqual(await problemsOf("service {\n}\nservice {\n}\n"), [
    "config.hcl:3:1+7 duplicate-block",
  ]);
});

test("nonsense in the block", async () => {
  const text = `service "chat" {
  name = ""
  version = "1\\n2"
  admin_port = 90000
  admin_path = "/admin"
  shutdown_timeout = "0s"
  shutdown_spread = 2
  limits {
  }
}
`;
  assert.deepEqual(await problemsOf(text), [
    "config.hcl:1:9+6 unexpected-label",
    "config.hcl:2:10+2 invalid-value",
    "config.hcl:3:13+6 invalid-value",
    "config.hcl:4:16+5 invalid-value",
    "config.hcl:5:3+10 unknown-attribute",
    "config.hcl:6:22+4 invalid-value",
    "config.hcl:7:21+1 invalid-value",
    "config.hcl:8:3+6 unknown-block",
  ]);
});
