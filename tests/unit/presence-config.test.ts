/** What `weir check` says about presence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../src/base/errors.ts";
import type { Problem } from "../../src/base/problem.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { placed } from "../support/problems.ts";

/** A verified connector; the lines in the room's `presence` begin at line 13. */
function websocket(presence: string, more = ""): string {
  return `connector "ws" {
  type = "websocket"
  port = 0
  auth {
    jwt {
      secret = "${"x".repeat(40)}"
    }
  }
  room "plain" {
  }
  room "doc:{id}" {
    presence {
${presence}
    }
${more}
  }
}
type "mood" {
  status = string()
}
`;
}

/** A flow with this step. */
function step(lines: string): string {
  return `flow "f" {
  from {
    connector = "ws"
    operation = "who"
  }
  step "who" {
    connector = "ws"
    operation = "presence"
    ${lines}
  }
  response {
    count = "step.who.count"
  }
}
`;
}

/** No flow sends to the rooms of these tests. */
function isOurs({ code }: Problem): boolean {
  return code !== "unused-room";
}

/** The codes and places of all problems. */
async function problems(config: string): Promise<readonly string[]> {
  try {
    return (await loadConfig(config, { embedded: false })).warnings.filter(isOurs).map(placed);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.filter(isOurs).map(placed);
    throw error;
  }
}

test("a good block has no problems, and nothing in it is required", async () => {
  assert.deepEqual(await problems(websocket("")), []);
  const all = "info = \"{'id': match.id, 'room': room, 'name': client.claims.name}\"\n" +
    'leave_grace = "0s"\nmax = 5\ndata = "mood"';
  assert.deepEqual(await problems(websocket(all)), []);
  assert.deepEqual(await problems(websocket("") + step('target = "input.room"')), []);
  assert.deepEqual(await problems(websocket("") + step('target = "doc:1"')), []);
});

test("nonsense in a presence block is reported at its place", async () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    'leave_grace = "soon"': ["config.hcl:13:15+6 invalid-value"],
    'leave_grace = "-1s"': ["config.hcl:13:15+5 invalid-value"],
    "leave_grace = 3": ["config.hcl:13:15+1 invalid-value"],
    "max = 0": ["config.hcl:13:7+1 invalid-value"],
    "max = 1.5": ["config.hcl:13:7+3 invalid-value"],
    'max = "many"': ["config.hcl:13:7+6 invalid-value"],
    'data = "moood"': ["config.hcl:13:8+7 unknown-type"],
    "data = 5": ["config.hcl:13:8+1 unknown-type"],
    "data = true": ["config.hcl:13:8+4 invalid-value"],
    "info = 5": ["config.hcl:13:8+1 invalid-value"],
    'info = "client."': ["config.hcl:13:16+1 expression-syntax"],
    'info = "input.name"': ["config.hcl:13:9+5 unknown-variable"],
    'info = "match.name"': ["config.hcl:13:9+10 unknown-match"],
    'grace = "3s"': ["config.hcl:13:1+5 unknown-attribute"],
    'step "s" {\n}': ["config.hcl:13:1+4 unknown-block"],
  };
  for (const [lines, expected] of Object.entries(cases)) {
    assert.deepEqual(await problems(websocket(lines)), expected, lines);
  }
});

test("info cannot use a look-up of the join, and a room has one presence", async () => {
  const lookup = 'step "s" {\nconnector = "ws"\noperation = "broadcast"\n}';
  assert.deepEqual(await problems(websocket('info = "step.s"', lookup)), [
    "config.hcl:13:9+4 unknown-variable",
  ]);
  assert.deepEqual(await problems(websocket("", "presence {\n}")), [
    "config.hcl:15:1+8 duplicate-block",
  ]);
  assert.deepEqual(await problems(websocket("").replace("presence {", 'presence "p" {')), [
    "config.hcl:12:14+3 unexpected-label",
  ]);
});

test("presence without auth is a warning: anybody may be anybody", async () => {
  const open = 'connector "ws" {\ntype = "websocket"\nport = 0\nroom "r" {\npresence {\n}\n}\n}\n';
  assert.deepEqual(await problems(open), ["config.hcl:5:1+8 unverified-user"]);
  const { warnings } = await loadConfig(open, { embedded: false });
  assert.deepEqual(warnings.map(({ severity }) => severity), ["warning"]);
  // Without presence there is nothing to say, and a room with presence is used by that alone.
  assert.deepEqual(await problems(open.replace("presence {\n}\n", "")), []);
});

test("a step needs a room that has presence, and takes nothing else", async () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "": ["config.hcl:26:3+10 missing-target"],
    'target = "plain"': ["config.hcl:29:14+7 connector-rule"],
    'target = "elsewhere"': ["config.hcl:29:14+11 connector-rule"],
    'target = "doc:1"\nfilter = "true"': ["config.hcl:30:10+6 unused-attribute"],
    'target = "doc:1"\nuser = "client.user_id"': ["config.hcl:30:8+16 unused-attribute"],
    'target = "doc:1"\nframe = "who"': ["config.hcl:30:9+5 unused-attribute"],
    'target = "doc:1"\nexclude_sender = true': ["config.hcl:30:18+4 unused-attribute"],
    'target = "doc:1"\nparams = { a = "1" }': ["config.hcl:30:10+11 unused-attribute"],
  };
  for (const [lines, expected] of Object.entries(cases)) {
    assert.deepEqual(await problems(websocket("") + step(lines)), expected, lines);
  }
  const without = websocket("").replace(/presence \{\s*\}/, "") + step('target = "input.room"');
  const [problem, ...more] = await problems(without);
  assert.match(problem, / connector-rule$/);
  assert.deepEqual(more, []);
  // Only a step asks.
  const to = 'flow "f" {\nfrom {\nconnector = "ws"\noperation = "who"\n}\n' +
    'to {\nconnector = "ws"\noperation = "presence"\ntarget = "doc:1"\n}\n}\n';
  const [refused] = await problems(websocket("") + to);
  assert.match(refused, / unknown-operation$/);
});

test("a test has presence where it joins, and a code where it disconnects", async () => {
  const testOf = (lines: string) =>
    `${websocket("")}test "t" {\nclient "ann" {\nuser_id = "ann"\n}\n${lines}\n` +
    'expect "ann" {\nnothing = true\n}\n}\n';
  const cases: Readonly<Record<string, readonly string[]>> = {
    'client "bob" {\nuser_id = "bob"\npresence = true\n}': ["unused-attribute"],
    'given "ann" {\noperation = "say"\npresence = true\n}': ["unused-attribute"],
    'given "ann" {\noperation = "say"\ncode = 1006\n}': ["unused-attribute"],
    'given "ann" {\noperation = "disconnect"\npresence = true\n}': ["unused-attribute"],
    'given "ann" {\nreads = false\ncode = 1006\n}': ["unused-attribute"],
    'given "ann" {\noperation = "disconnect"\ncode = 7\n}': ["invalid-value"],
    'given "ann" {\noperation = "disconnect"\ncode = 1006\n}': [],
  };
  for (const [lines, expected] of Object.entries(cases)) {
    const found = await problems(testOf(lines));
    assert.deepEqual(found.map((one) => one.split(" ")[1]), expected, lines);
  }
});
