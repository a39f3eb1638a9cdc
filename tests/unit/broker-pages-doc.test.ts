/** The pages of brokers: their configurations are good, and they name what there is. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fields as mqttFields } from "../../src/connectors/mqtt/options.ts";
import { drivers } from "../../src/connectors/mq/drivers/mod.ts";
import type { Fields } from "../../src/contract/fields.ts";
import { loadConfig } from "../../src/runtime/load.ts";

const env: Readonly<Record<string, string>> = {
  AMQP_URL: "amqp://localhost",
  REDIS_URL: "redis://localhost",
  NATS_URL: "nats://localhost",
  MQTT_URL: "mqtt://localhost",
  HOSTNAME: "host",
  RABBIT_PASSWORD: "x",
  REDIS_PASSWORD: "x",
};

async function read(name: string): Promise<string> {
  return await readFile(new URL(`../../docs/${name}.md`, import.meta.url), "utf8");
}

function names(page: string, name: string): boolean {
  return new RegExp(`\\b${name} +=|\\b${name} \\{|\`${name}\`|\`${name} = `).test(page);
}

for (const name of ["rabbitmq", "redis", "nats", "mqtt"]) {
  test(`docs/${name}.md: its configurations are good`, async () => {
    const page = await read(name);
    const examples = [...page.matchAll(/^```hcl\n([^]*?)^```$/gm)].map(([, code]) => code);
    const { flows } = await loadConfig(examples.join("\n"), { env: (name) => env[name] });
    assert.ok(flows.length > 0);
  });
}

for (const name of ["rabbitmq", "redis", "nats"]) {
  test(`docs/${name}.md names every attribute and metadata of its driver`, async () => {
    const page = await read(name);
    const { attributes, metadata } = drivers[name];
    const shared = await read("brokers");
    for (const attribute of attributes) {
      const last = attribute.slice(attribute.lastIndexOf(".") + 1);
      assert.ok(names(page, last) || names(shared, last), attribute);
    }
    for (const field of metadata) assert.match(page, new RegExp(`\`(?:input\\.)?${field}`), field);
  });
}

test("docs/mqtt.md names every attribute", async () => {
  const page = await read("mqtt");
  const check = (fields: Fields): void => {
    for (const [name, field] of Object.entries(fields)) {
      assert.ok(names(page, name), name);
      if (field.fields !== undefined && name !== "tls") check(field.fields);
    }
  };
  check(mqttFields);
});
