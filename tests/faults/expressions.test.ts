/** The faults of expressions: the most expensive that a client can send to each function and macro. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { attacks } from "../support/attacks.ts";
import { hostile } from "../support/hostile.ts";
import type { Stage, Weir } from "../support/process.ts";
import type { Message, SocketClient } from "../support/socket-client.ts";
import { seeded } from "../support/random.ts";
import { pause } from "../support/socket-probe.ts";
import { openClient } from "../support/talk.ts";
import { processFault } from "./stage.ts";

/** How long another client may wait for its answer, in milliseconds; seconds are a stall. */
const QUICK = 2_000;

const MB = 1024 * 1024;
/**
 * How much more memory the server may have: an event keeps less than 100 MB, and what a runtime
 * has not yet collected of the events before comes on top.
 */
const MOST = 400 * MB;

/** What all servers of this file have. */
const SERVER = `
connector "ws" {
  type             = "websocket"
  port             = 0
  max_message_size = "2MB"
}
flow "echo" {
  from {
    connector = "ws"
    operation = "echo"
  }
  response { said = "input.text" }
}
`;

async function serve(stage: Stage, flows: string): Promise<Weir> {
  await writeFile(join(stage.folder, "hostile.hcl"), SERVER + flows);
  return await stage.run([stage.folder, "--port", "ws=0"]);
}

/** A flow that evaluates one expression for the event of its name. */
function flowOf(name: string, expression: string): string {
  return `
flow "${name}" {
  from {
    connector = "ws"
    operation = "${name}"
  }
  response { result = ${JSON.stringify(expression)} }
}
`;
}

/** The values that an expression reads, in one frame's data. */
function dataFor(expression: string): Message {
  const names = [...expression.matchAll(/input\.(\w+)/g)].map(([, name]) => name);
  return Object.fromEntries(names.map((name) => [name, hostile[name]]));
}

/** How much more memory the server has while `work` runs, in bytes. */
async function growth({ pid }: Weir, work: () => Promise<void>): Promise<number> {
  const memory = async () => {
    const { stdout } = await promisify(execFile)("ps", ["-o", "rss=", "-p", `${pid}`]);
    return Number(stdout) * 1024;
  };
  const before = await memory();
  let most = before;
  let working = true;
  const looking = (async () => {
    while (working) {
      most = Math.max(most, await memory());
      await pause(50);
    }
  })();
  await work().finally(() => working = false);
  await looking;
  return most - before;
}

/** Says one thing after the other; another client must be answered soon all the while. */
async function besides(weir: Weir, work: (client: SocketClient) => Promise<void>): Promise<void> {
  const [client, other] = await Promise.all([openClient(weir), openClient(weir)]);
  let working = true;
  let longest = 0;
  const echoes = (async () => {
    for (let id = 1; working; id++) {
      const before = performance.now();
      const answer = await other.ask({ type: "echo", data: { text: "here" }, id });
      assert.deepEqual(answer, { type: "ack", id, data: { said: "here" } });
      longest = Math.max(longest, performance.now() - before);
      await pause(10);
    }
  })();
  const grown = await growth(weir, () => work(client)).finally(() => working = false);
  await echoes;
  assert.ok(grown < MOST, `the server took ${(grown / MB).toFixed(0)} MB more`);
  assert.ok(longest < QUICK, `another client waited for ${longest.toFixed(0)} ms`);
  client.destroy();
  other.destroy();
}

/** Sends what belongs to each expression; each is answered, with a result or with an error. */
async function attack(stage: Stage, expressions: readonly string[]): Promise<void> {
  const flows = expressions.map((expression, i) => flowOf(`attack${i}`, expression));
  const weir = await serve(stage, flows.join(""));
  await besides(weir, async (client) => {
    for (const [i, expression] of expressions.entries()) {
      const answer = await client.ask({ type: `attack${i}`, data: dataFor(expression), id: i });
      const { type, code } = answer;
      assert.ok(
        type === "ack" || (type === "error" && code === "flow_failed"),
        `${expression}: ${JSON.stringify(answer).slice(0, 200)}`,
      );
    }
  });
}

const MACROS = ["all", "exists", "exists_one", "filter", "map", "sortBy", "has", "cel.bind"];
/** What a client has sent: whole texts and lists, not what the configuration makes of a number. */
const sent = ([, expressions]: readonly [string, readonly string[]]) =>
  expressions.filter((expression) => !expression.startsWith("lists.range"));

processFault(
  "the longest, deepest and most hostile input for each function and operator → a result or an error, others are answered",
  async (stage) => {
    const functions = Object.entries(attacks).filter(([name]) => !MACROS.includes(name));
    await attack(stage, functions.flatMap(sent));
  },
);

processFault(
  "240,000 items for each macro, nested and failing → a result or an error, others are answered",
  async (stage) => {
    await attack(stage, Object.entries(attacks).filter(([n]) => MACROS.includes(n)).flatMap(sent));
  },
);

processFault(
  "a pattern of a client that would take seconds or gigabytes to compile → an error, others are answered",
  async (stage) => {
    const weir = await serve(stage, flowOf("find", "matches('abc', input.pattern)"));
    await besides(weir, async (client) => {
      for (const name of ["pattern", "class", "repeated", "nested", "folded"]) {
        const data = { pattern: hostile[name] };
        const { type, code } = await client.ask({ type: "find", data, id: name });
        assert.deepEqual([name, type, code], [name, "error", "flow_failed"]);
      }
      const data = { pattern: "^[a-c]{3}$" };
      const answer = await client.ask({ type: "find", data, id: 1 });
      assert.deepEqual(answer, { type: "ack", id: 1, data: { result: true } });
    });
  },
);

processFault(
  "the longest and most hostile text for each format and pattern of a type → validation_failed, others are answered",
  async (stage) => {
    const fields = ["email", "url", "uuid", "date", "datetime", "ip", "phone"].map((format) =>
      `${format} = string({ required = false, format = "${format}" })`
    );
    const weir = await serve(
      stage,
      `
type "hostile" {
  ${fields.join("\n  ")}
  pattern  = string({ required = false, pattern = "(?:.{0,30}a){10}$" })
  patterns = array(string({ pattern = "^(?:[a-c]{1,30}){10}$" }), { required = false })
}
flow "check" {
  from {
    connector = "ws"
    operation = "check"
  }
  validate { input = "hostile" }
  response { good = "true" }
}
`,
    );
    const texts = ["digits", "text", "wide", "emoji", "blanks", "brackets", "periods", "quotes"]
      .map((name) => String(hostile[name]));
    const urls = ["\u0301\u0316", "ü.", "@", "1.", "中", "%61", "xn--a."]
      .map((part) => `https://a${part.repeat(400_000 / part.length)}`);
    const random = seeded(3);
    const noise = Array.from({ length: 100_000 }, () => "ac"[random.below(2)]).join("");
    const cases: Message[] = [
      ...["email", "uuid", "date", "datetime", "ip", "phone"].flatMap((format) =>
        texts.map((text) => ({ [format]: text }))
      ),
      ...[...texts, ...urls].map((url) => ({ url })),
      { email: `${"a@".repeat(200_000)}.` },
      { datetime: `2026-01-01T00:00:00.${"1".repeat(400_000)}` },
      { phone: `+${"(1)".repeat(100_000)}x` },
      { pattern: `${noise}c` },
      { patterns: Array.from({ length: 50 }, (_, i) => noise.slice(i * 2_000, i * 2_000 + 2_000)) },
    ];
    await besides(weir, async (client) => {
      for (const [id, data] of cases.entries()) {
        const answer = await client.ask({ type: "check", data, id });
        const valid = answer.type === "ack" && "url" in data;
        assert.ok(valid || answer.code === "validation_failed", JSON.stringify(answer));
      }
      const answer = await client.ask({ type: "check", data: { url: "https://a.de/b" }, id: 1 });
      assert.deepEqual(answer, { type: "ack", id: 1, data: { good: true } });
    });
  },
);

processFault(
  "a text that doubles with each line of a transform → an error, the fallback takes the event, the next is served",
  async (stage) => {
    const lines = Array.from({ length: 30 }, (_, i) => `t${i + 1} = "output.t${i} + output.t${i}"`);
    const weir = await serve(
      stage,
      `
flow "double" {
  from {
    connector = "ws"
    operation = "double"
  }
  transform {
    t0 = "input.text"
    ${lines.join("\n    ")}
  }
  to {
    connector = "ws"
    operation = "send_to_user"
    target    = "nobody"
  }
  error_handling {
    fallback {
      connector = "ws"
      operation = "send_to_user"
      target    = "watcher"
      transform { why = "error.message" }
    }
  }
}
`,
    );
    const watcher = await openClient(weir, { user: "watcher" });
    await besides(weir, async (client) => {
      for (const id of [1, 2, 3]) {
        const answer = await client.ask({ type: "double", data: { text: hostile.text }, id });
        assert.deepEqual(answer, { type: "ack", id });
        const { data } = await watcher.hear();
        assert.match(String((data as Message).why), /more steps than the 10 million/);
      }
    });
    watcher.destroy();
  },
);
