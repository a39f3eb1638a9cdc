import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { Texts } from "../../src/workers/texts.ts";

test("what was read or written is known, and goes to what is beneath", async () => {
  const beneath = new Texts([["a", "1"], ["b", "2"]]);
  const texts = new Texts([["c", "3"]], beneath);
  assert.equal(await texts.read("a"), "1");
  assert.equal(await texts.read("c"), "3");
  assert.equal(await texts.read("none"), undefined);
  await texts.write("d", "4");
  assert.equal(await beneath.read("d"), "4");
  assert.deepEqual(texts.known, [["c", "3"], ["a", "1"], ["d", "4"]]);
});

test("with what one has read, another needs no parser and means the same", async () => {
  const text = 'connector "ws" {\n type = "websocket"\n port = 1 + 2999\n}';
  const first = new Texts();
  const model = await loadConfig(text, { cache: first });
  assert.equal(first.known.length, 2);
  const second = new Texts(JSON.parse(JSON.stringify(first.known)));
  second.write = () => assert.fail("something was parsed");
  const again = await loadConfig(text, { cache: second });
  assert.deepEqual(again.connectors.get("ws")?.options, model.connectors.get("ws")?.options);
});
