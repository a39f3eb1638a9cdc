/** A connector that was made with another copy of the package than the one that runs. */
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as own from "../../mod.ts";
import { problemsOf } from "../support/config.ts";

type Package = typeof own;

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = await realpath(await mkdtemp(join(tmpdir(), "weir-copy-")));
after(() => rm(folder, { recursive: true }));
const copy = await importCopy();

async function importCopy(): Promise<Package> {
  await cp(join(root, "src"), join(folder, "src"), { recursive: true });
  await cp(join(root, "mod.ts"), join(folder, "mod.ts"));
  await cp(join(root, "deno.json"), join(folder, "deno.json"));
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await mkdir(join(folder, "data"));
  return await import(pathToFileURL(join(folder, "mod.ts")).href);
}

/** Every class of errors, made by one of the packages. */
function errorsOf(made: Package): readonly Error[] {
  return [
    new made.ConfigError([]),
    new made.ConnectorError("c", "failed"),
    new made.ExpressionError("1 +", "failed"),
    new made.FlowError("f", "flow_failed", { ref: "12345678" }),
    new made.PluginError("plugin-failed", "failed"),
    new made.WorkerError("failed"),
  ];
}

test("the copy is another one", () => {
  assert.notEqual(copy.defineConnector, own.defineConnector);
  assert.notEqual(copy.ConnectorError, own.ConnectorError);
});

test("errors of either copy are errors of the other, and of their own class alone", () => {
  const classes = (of: Package) => [
    of.ConfigError,
    of.ConnectorError,
    of.ExpressionError,
    of.FlowError,
    of.PluginError,
    of.WorkerError,
  ];
  for (const [made, asked] of [[own, copy], [copy, own], [own, own]] as const) {
    for (const [index, error] of errorsOf(made).entries()) {
      const found = classes(asked).map((type) => error instanceof type);
      assert.deepEqual(
        found.map((is, at) => is === (at === index)),
        found.map(() => true),
        error.name,
      );
      assert.ok(error instanceof Error);
    }
    for (const value of [undefined, null, "text", 1, {}, new Error("no")]) {
      assert.ok(classes(asked).every((type) => !(value instanceof type)));
    }
  }
});

test("a subclass of an error has only its own instances", () => {
  class LimitError extends own.ConnectorError {}
  assert.ok(new LimitError("c", "m") instanceof LimitError);
  assert.ok(new LimitError("c", "m") instanceof own.ConnectorError);
  assert.ok(new LimitError("c", "m") instanceof copy.ConnectorError);
  assert.ok(!(new own.ConnectorError("c", "m") instanceof LimitError));
});

/** A connector with every kind of field, made by the copy. */
function connectorOf(made: Package, written: unknown[]): own.ConnectorType {
  const about = "For the test.";
  return made.defineConnector({
    fields: {
      size: made.attribute(made.size(), { about, default: "1KB" }),
      key: made.attribute(made.text(), { about }),
      folder: made.path({ about }),
      when: made.expression({ about, variables: ["input"] }),
      labels: made.expressionMap({ about }),
      limits: made.block({
        wait: made.attribute(made.duration(), { about, required: true }),
        mode: made.attribute(made.oneOf(["a", "b"]), { about }),
      }, { about }),
      rules: made.blocks({ on: made.attribute(made.flag(), { about }) }, { about }),
    },
    check: ({ key }) => key === "bad" ? [{ attribute: "key", message: "is bad" }] : [],
    source: {},
    destination: {
      fields: { tag: made.expression({ about, variables: ["input"] }) },
      check: ({ operation }) =>
        operation === "bad" ? [{ attribute: "operation", message: "has no bad" }] : [],
    },
    create(options, { name }) {
      const flows: own.FlowHandler[] = [];
      return {
        subscribe: (_operation, flow) => void flows.push(flow),
        async write({ operation, payload, options: block }) {
          if (operation === "fail") {
            throw new made.ConnectorError(name, "is away", { code: "away", permanent: true });
          }
          if (operation === "start") {
            const event = { operation: "started", payload, input: payload as own.Scope };
            const failure = await made.dispatch(made.admit(flows, event), event).all;
            return { failed: failure instanceof made.FlowError ? failure.code : undefined };
          }
          written.push([options, block, payload]);
        },
      };
    },
  });
}

const BLOCK = `
  size = "2KB"
  folder = "data"
  when = "input.n > 1"
  labels = {
    a = "1 + 1"
  }
  limits {
    wait = "1s"
  }
  rules {
    on = true
  }
`;

test("a connector of the copy is read, checked and run as one of this package", async () => {
  const written: unknown[] = [];
  const connectors = { foreign: connectorOf(copy, written) };
  const flow = (name: string, from: string, operation: string) =>
    `flow "${name}" {\n  from {\n${from}\n  }\n` +
    `  to {\n    connector = "c"\n    operation = "${operation}"\n  }\n}\n`;
  const event = (name: string) =>
    flow(name, `    connector = "c"\n    filter = "input.op == '${name}'"`, name);
  const request = (path: string, operation: string) =>
    flow(path, `    connector = "api"\n    operation = "POST /${path}"`, operation);
  const config = `connector "c" {\n  type = "foreign"\n${BLOCK}}\n` +
    `connector "api" {\n  type = "rest"\n  port = 0\n}\n` +
    event("keep") + event("fail") + request("start", "start") + request("direct", "fail");
  const runtime = await own.createRuntime(config, { connectors });
  const ask = async (path: string, body: unknown) => {
    const init = { method: "POST", body: JSON.stringify(body) };
    const headers = { "content-type": "application/json" };
    const response = await runtime.fetch(new Request(`http://x${path}`, { ...init, headers }));
    return [response.status, await response.json()];
  };
  assert.deepEqual(await ask("/start", { op: "keep", n: 1 }), [200, {}]);
  assert.deepEqual(await ask("/start", { op: "fail", n: 1 }), [200, { failed: "flow_failed" }]);
  const [status, { error }] = await ask("/direct", {}) as [number, { error: { code: string } }];
  assert.deepEqual([status, error.code], [500, "flow_failed"]);
  await runtime.close();
  const [[options]] = written as [[Record<string, unknown>]];
  const { when, labels, ...plain } = options as {
    readonly when: own.Expression;
    readonly labels: unknown;
  };
  assert.deepEqual(plain, {
    size: 2048,
    key: undefined,
    folder: "./data",
    limits: { wait: 1_000, mode: undefined },
    rules: [{ on: true }],
  });
  assert.equal(when.evaluate({ input: { n: 2 } }), true);
  assert.ok(labels);
});

test("mistakes in a block of the copy have the same codes and places", async () => {
  const text = (body: string) => `connector "c" {\n  type = "foreign"\n${body}}\n`;
  const bad = text(
    '  size = "x"\n  when = "input."\n  labels = {\n    a = "1"\n    b = "nope()"\n  }\n' +
      '  limits {\n    mode = "c"\n  }\n  rule {\n  }\n',
  );
  const found = await problemsOf(bad, { connectors: { foreign: connectorOf(copy, []) } });
  assert.deepEqual(found, await problemsOf(bad, { connectors: { foreign: connectorOf(own, []) } }));
  assert.deepEqual(found.map((problem) => problem.split(" ")[1]), [
    "invalid-value",
    "expression-syntax",
    "unknown-function",
    "missing-attribute",
    "invalid-value",
    "unknown-block",
  ]);
  const rule = text('  key = "bad"\n');
  assert.deepEqual(await problemsOf(rule, { connectors: { foreign: connectorOf(copy, []) } }), [
    "config.hcl:3:9+5 connector-rule",
  ]);
});
