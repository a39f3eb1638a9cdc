import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "../../src/runtime/load.ts";
import { type Reads, Recorder, replay } from "../../src/workers/reads.ts";

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

test("what one has read, another gets without reading, and nothing else", async () => {
  let read = 0;
  const recorder = new Recorder({
    env: (name) => name === "PORT" ? "3001" : undefined,
    readFile: (path) => `/${path.replace("./", "")}/${++read}`,
  });
  const { env, readFile } = recorder;
  const first = await loadConfig(TEXT, { env, readFile });
  assert.equal(read, 1, "a file is read once");
  const reads: Reads = JSON.parse(JSON.stringify(recorder.reads));
  assert.deepEqual(JSON.parse(JSON.stringify(reads)), {
    env: [["PORT", "3001"]],
    files: [["./path.txt", "/path.txt/1"]],
  });

  const again = await loadConfig(TEXT, replay(reads));
  assert.deepEqual(again.connectors.get("ws")?.options, first.connectors.get("ws")?.options);
  assert.deepEqual(again.constants, { again: "/path.txt/1", unset: "default" });
  assert.equal(replay(reads).env("HOME"), undefined);
  assert.throws(() => replay(reads).readFile("other.txt"), /other\.txt was not read when the ser/);
});

test("what could not be read is not kept", async () => {
  const recorder = new Recorder({ readFile: () => Promise.reject(new Error("no such file")) });
  await assert.rejects(recorder.readFile("a"), /no such file/);
  await assert.rejects(new Recorder({}).readFile("a"), /nothing to read files with/);
  assert.deepEqual(recorder.reads, { env: [], files: [] });
  assert.equal(new Recorder({}).env("HOME"), undefined);
});
