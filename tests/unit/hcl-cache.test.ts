import assert from "node:assert/strict";
import { test } from "node:test";
import { type Hcl2Json, HclParser, ParserEnded } from "../../src/hcl/parser.ts";
import { loadConfig } from "../../src/runtime/load.ts";

/** A cache in memory, and a parser that counts what it is asked. */
function stage() {
  const kept = new Map<string, string>();
  const cache = {
    read: (key: string) => Promise.resolve(kept.get(key)),
    write: (key: string, text: string) => Promise.resolve(void kept.set(key, text)),
  };
  let asked = 0;
  const tree = { type: "tuple", children: [], range: { start: { byte: 0 }, end: { byte: 1 } } };
  const hcl2json: Hcl2Json = {
    parse(_filename, text) {
      asked++;
      return text === "bad" ? Promise.reject(new Error("bad")) : Promise.resolve({});
    },
    getExpressionAst() {
      asked++;
      return Promise.resolve(tree);
    },
  };
  const load = () => Promise.resolve(hcl2json);
  return { kept, tree, asked: () => asked, parser: () => new HclParser(load, cache), load, cache };
}

test("a text that is known is not parsed again", async () => {
  const { parser, asked, tree } = stage();
  await parser().parse("a", "x = 1");
  assert.deepEqual(await parser().getExpressionAst("a", "[1]"), tree);
  assert.equal(asked(), 2);
  await parser().parse("a", "x = 1");
  assert.deepEqual(await parser().getExpressionAst("a", "[1]"), tree);
  assert.equal(asked(), 2);
  // The same text as an expression, and another text, are other questions.
  await parser().getExpressionAst("a", "x = 1");
  await parser().parse("a", "x = 2");
  assert.equal(asked(), 4);
});

test("what is refused is asked for each time", async () => {
  const { parser, kept, asked } = stage();
  await assert.rejects(parser().parse("a", "bad"), /bad/);
  await assert.rejects(parser().parse("a", "bad"), /bad/);
  assert.equal(asked(), 2);
  assert.equal(kept.size, 0);
});

test("without a cache every text is new", async () => {
  const { load, asked } = stage();
  const parser = new HclParser(load, undefined);
  await parser.parse("a", "x = 1");
  await parser.parse("a", "x = 1");
  assert.equal(asked(), 2);
});

/** Parsers that do not survive the text "bad": each ends in another way. */
const MORTALS: Readonly<Record<string, () => Promise<never>>> = {
  "without stack": () => Promise.reject(new RangeError("Maximum call stack size exceeded")),
  "by a trap": () => Promise.reject(new WebAssembly.RuntimeError("unreachable")),
  // It forgets that it owes an answer, and says so when it is asked the next time.
  "without a word": () => new Promise(() => {}),
};

for (const [how, end] of Object.entries(MORTALS)) {
  test(`a parser that ends ${how} is told from one that refuses, and is asked no more`, async () => {
    let asked = 0;
    let isAlive = true;
    const hcl2json: Hcl2Json = {
      parse(_filename, text) {
        if (text === "") {
          return isAlive ? Promise.resolve({}) : Promise.reject(exited());
        }
        asked++;
        if (text !== "bad") return Promise.resolve({});
        isAlive = false;
        return end();
      },
      getExpressionAst: () => Promise.resolve(null),
    };
    const exited = () => new Error("Go program has already exited");
    const parser = () => new HclParser(() => Promise.resolve(hcl2json), undefined);
    await parser().parse("a", "good");
    await assert.rejects(parser().parse("a", "bad"), ParserEnded);
    await assert.rejects(parser().parse("a", "good"), ParserEnded);
    assert.equal(asked, 2);
  });
}

test("a configuration means the same with a cache and without one", async () => {
  const { cache, kept } = stage();
  const text = `
    constants {
      greeting = "hello \${env("NAME", "you")}"
    }
    connector "ws" {
      type = "websocket"
      port = env("PORT", 3001)
    }
  `;
  const env = (name: string) => name === "NAME" ? "Ada" : undefined;
  const first = await loadConfig(text, { env, cache });
  assert.equal(kept.size, 2);
  const second = await loadConfig(text, { env, cache });
  assert.deepEqual(second.constants, first.constants);
  assert.deepEqual(second.constants, { greeting: "hello Ada" });
  assert.equal(kept.size, 2);
  // Values come from the environment of the moment, not from the cache.
  const third = await loadConfig(text, { env: () => undefined, cache });
  assert.deepEqual(third.constants, { greeting: "hello you" });
});
