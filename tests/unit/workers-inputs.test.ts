/** What a configuration depends on, on its way to the workers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { InputRecorder, type Inputs, MemoryTextCache, replay } from "../../src/workers/inputs.ts";

const TEXT = `
  connector "ws" {
    type = "websocket"
    port = env("PORT", "4000")
    path = file("path.txt")
  }
  constants {
    again = file("path.txt")
    unset = env("UNSET", "default")
  }
`;

test("recorded inputs replace reading, and nothing else can be read", async () => {
  let read = 0;
  const recorder = new InputRecorder({
    env: (name) => name === "PORT" ? "3001" : undefined,
    readFile: (path) => `/${path.replace("./", "")}/${++read}`,
  });
  const { env, readFile } = recorder;
  const first = await loadConfig(TEXT, { env, readFile });
  assert.equal(read, 1, "a file is read once");
  const inputs: Inputs = JSON.parse(JSON.stringify(recorder.inputs));
  assert.deepEqual(JSON.parse(JSON.stringify(inputs)), {
    env: [["PORT", "3001"]],
    files: [["./path.txt", "/path.txt/1"]],
  });

  const again = await loadConfig(TEXT, replay(inputs));
  assert.deepEqual(again.connectors.get("ws")?.options, first.connectors.get("ws")?.options);
  assert.deepEqual(again.constants, { again: "/path.txt/1", unset: "default" });
  assert.equal(replay(inputs).env("HOME"), undefined);
  assert.throws(() => replay(inputs).readFile("other.txt"), /other\.txt was not read when the ser/);
});

test("failed reads are not recorded", async () => {
  const recorder = new InputRecorder({ readFile: () => Promise.reject(new Error("no such file")) });
  await assert.rejects(recorder.readFile("a"), /no such file/);
  await assert.rejects(new InputRecorder({}).readFile("a"), /nothing to read files with/);
  assert.deepEqual(recorder.inputs, { env: [], files: [] });
  assert.equal(new InputRecorder({}).env("HOME"), undefined);
});

test("variables of expressions are recorded before an event needs them", async () => {
  const text = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "message"
    }
    response {
      town = "env('TOWN', 'none') + env('MOOD', input.mood)"
    }
  }
`;
  const recorder = new InputRecorder({ env: (name) => ({ TOWN: "Ulm", MOOD: "good" })[name] });
  await loadConfig(text, { env: recorder.env });
  assert.deepEqual(recorder.inputs.env, [["TOWN", "Ulm"], ["MOOD", "good"]]);
});

test("a text cache keeps what was read or written, and writes to its fallback", async () => {
  const fallback = new MemoryTextCache([["a", "1"], ["b", "2"]]);
  const texts = new MemoryTextCache([["c", "3"]], fallback);
  assert.equal(await texts.read("a"), "1");
  assert.equal(await texts.read("c"), "3");
  assert.equal(await texts.read("none"), undefined);
  await texts.write("d", "4");
  assert.equal(await fallback.read("d"), "4");
  assert.deepEqual(texts.texts, [["c", "3"], ["a", "1"], ["d", "4"]]);
});

test("with the texts of another cache, the same model needs no parser", async () => {
  const text = 'connector "ws" {\n type = "websocket"\n port = 1 + 2999\n}';
  const first = new MemoryTextCache();
  const model = await loadConfig(text, { cache: first });
  assert.equal(first.texts.length, 2);
  const second = new MemoryTextCache(JSON.parse(JSON.stringify(first.texts)));
  second.write = () => assert.fail("something was parsed");
  const again = await loadConfig(text, { cache: second });
  assert.deepEqual(again.connectors.get("ws")?.options, model.connectors.get("ws")?.options);
});
