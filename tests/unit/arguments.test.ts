import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import manifest from "../../deno.json" with { type: "json" };
import {
  type Command,
  type EnvFile,
  parseCommand,
  UsageError,
} from "../../src/commands/arguments.ts";
import { TEMPLATES, USAGE } from "../../src/commands/usage.ts";
import { VERSION } from "../../src/base/version.ts";

const here = [process.cwd()];
const reading = { paths: here, envFile: undefined };
const run = {
  name: "run",
  ...reading,
  watch: false,
  workers: 1,
  ports: {},
  adminPort: undefined,
  logLevel: "info",
  logFormat: "text",
} as const;
const check = { name: "check", ...reading, strict: false, connect: false, json: false } as const;
const testing = { name: "test", ...reading, filter: "", coverage: false, json: false } as const;
const asking = { timeout: "5s", token: undefined } as const;

function given(path: string): EnvFile {
  return { path, optional: false };
}

test("what a command line says", () => {
  const cases: ReadonlyArray<readonly [args: readonly string[], command: Command]> = [
    [[], run],
    [["run"], run],
    [["my"], { ...run, paths: ["my"] }],
    [["run", "my", "other.hcl"], { ...run, paths: ["my", "other.hcl"] }],
    [["run", "run"], { ...run, paths: ["run"] }],
    [["run", "check"], { ...run, paths: ["check"] }],
    [["run", "test"], { ...run, paths: ["test"] }],
    [["./test"], { ...run, paths: ["./test"] }],
    [["--log-level", "trace", "my"], { ...run, logLevel: "trace", paths: ["my"] }],
    [["run", "my", "--log-level=warning"], { ...run, logLevel: "warning", paths: ["my"] }],
    [["--log-format", "json"], { ...run, logFormat: "json" }],
    [["--env-file", ".env"], { ...run, envFile: given(".env") }],
    [["--dotenv"], { ...run, envFile: { path: ".env", optional: true } }],
    [["--dotenv", "--env-file", "my.env"], { ...run, envFile: given("my.env") }],
    [["--port", "ws=0"], { ...run, ports: { ws: 0 } }],
    [["--port=ws=65535", "--port", "api=80"], { ...run, ports: { ws: 65535, api: 80 } }],
    [["--port", "ws=1", "--port", "ws=2"], { ...run, ports: { ws: 2 } }],
    [["--port", "a=b=8080"], { ...run, ports: { "a=b": 8080 } }],
    [["--port", "my ws=08"], { ...run, ports: { "my ws": 8 } }],
    [["--admin-port", "0"], { ...run, adminPort: 0 }],
    [["--admin-port=65535", "my"], { ...run, adminPort: 65535, paths: ["my"] }],
    [["--", "--odd"], { ...run, paths: ["--odd"] }],
    [["--watch", "my"], { ...run, watch: true, paths: ["my"] }],
    [["run", "my", "--watch"], { ...run, watch: true, paths: ["my"] }],
    [["--workers", "2", "my"], { ...run, workers: 2, paths: ["my"] }],
    [["--workers=1", "--watch"], { ...run, watch: true }],
    [["--workers", "256"], { ...run, workers: 256 }],
    [["check"], check],
    [["check", "a", "b"], { ...check, paths: ["a", "b"] }],
    [["check", "--env-file=x", "a"], { ...check, paths: ["a"], envFile: given("x") }],
    [["check", "--strict"], { ...check, strict: true }],
    [["check", "my", "--json"], { ...check, paths: ["my"], json: true }],
    [["check", "--connect", "my"], { ...check, paths: ["my"], connect: true }],
    [["test"], testing],
    [["test", "a", "b", "--json"], { ...testing, paths: ["a", "b"], json: true }],
    [["test", "--filter", "an order"], { ...testing, filter: "an order" }],
    [["test", "--filter="], testing],
    [["test", "--coverage"], { ...testing, coverage: true }],
    [["check", "my", "--dotenv"], {
      ...check,
      paths: ["my"],
      envFile: { path: ".env", optional: true },
    }],
    [["test", "--env-file", "x", "test"], { ...testing, paths: ["test"], envFile: given("x") }],
    [["init", "my"], { name: "init", folder: "my", template: "chat" }],
    [["init", "my", "--template", "iot"], { name: "init", folder: "my", template: "iot" }],
    [["init", "--template=dashboard", "."], {
      name: "init",
      folder: ".",
      template: "dashboard",
    }],
    [["health"], { ...asking, name: "health", url: "http://localhost:3000" }],
    [["health", "https://a.example/x", "--timeout", "1m"], {
      ...asking,
      name: "health",
      url: "https://a.example/x",
      timeout: "1m",
    }],
    [["status"], { ...asking, name: "status", url: "http://localhost:9090" }],
    [["status", "http://a:1", "--token", "secret"], {
      ...asking,
      name: "status",
      url: "http://a:1",
      token: "secret",
    }],
    [["run", "status"], { ...run, paths: ["status"] }],
    [["run", "health"], { ...run, paths: ["health"] }],
    [["--help"], { name: "help" }],
    [["-h"], { name: "help" }],
    [["check", "my", "--help"], { name: "help" }],
    [["--nonsense", "--help", "--version"], { name: "help" }],
    [["--version"], { name: "version" }],
    [["run", "--version"], { name: "version" }],
  ];
  for (const [args, command] of cases) {
    assert.deepEqual(parseCommand(args), command, args.join(" "));
  }
});

test("a connector called as a prototype's part is a name", () => {
  const command = parseCommand(["--port", "__proto__=1"]);
  assert.ok(command.name === "run");
  assert.deepEqual(Object.entries(command.ports), [["__proto__", 1]]);
});

test("what says nothing that can be done", () => {
  const port = (text: string) => `--port ${text}: expected NAME=PORT with a port up to 65535`;
  const adminPort = (text: string) =>
    `--admin-port ${text}: must be a whole number from 0 to 65535`;
  const templates = "--template must be one of chat, dashboard, notifications, iot";
  const levels = "--log-level must be one of trace, debug, info, warning, error";
  const cases: ReadonlyArray<readonly [args: readonly string[], message: string]> = [
    [["--log-levle", "info"], 'run has no option --log-levle; did you mean "--log-level"?'],
    [["run", "--prot", "a=1"], 'run has no option --prot; did you mean "--port"?'],
    [["check", "--workers", "4"], "check has no option --workers; it is an option of run"],
    ...["0", "-1", "257", "1e2", "2.5", "two", "", " 2", "0x2"].map((text) =>
      [
        [`--workers=${text}`],
        `--workers ${text}: must be a whole number from 1 to 256`,
      ] as const
    ),
    [["--workers", "2", "--watch"], "--watch and --workers cannot be combined"],
    [["-x"], "run has no option -x; see --help"],
    [["--__proto__"], "run has no option --__proto__; see --help"],
    [["--toString"], "run has no option --toString; see --help"],
    [["--strict"], "run has no option --strict; it is an option of check"],
    [["run", "--json"], "run has no option --json; it is an option of check and test"],
    [["check", "--log-level", "info"], "check has no option --log-level; it is an option of run"],
    [["check", "--port=ws=1"], "check has no option --port; it is an option of run"],
    [["check", "--filter", "x"], "check has no option --filter; it is an option of test"],
    [["check", "--stritc"], 'check has no option --stritc; did you mean "--strict"?'],
    [["test", "--watch"], "test has no option --watch; it is an option of run"],
    [["test", "--connect"], "test has no option --connect; it is an option of check"],
    [
      ["init", "my", "--env-file", "x"],
      "init has no option --env-file; it is an option of run, check and test",
    ],
    [
      ["init", "my", "--dotenv"],
      "init has no option --dotenv; it is an option of run, check and test",
    ],
    [["--dotenv=my.env"], "Option '--dotenv' does not take an argument"],
    [["init"], "init needs a folder: weir init my-server"],
    [["init", ""], "init needs a folder: weir init my-server"],
    [["init", "--template", "iot"], "init needs a folder: weir init my-server"],
    [["init", "my", "other"], 'init takes one folder; remove "other"'],
    [["init", "my", "--template", "shop"], templates],
    [["init", "my", "--template", ""], templates],
    [["health", "http://a", "http://b"], 'health takes one URL; remove "http://b"'],
    [["health", "--timeuot", "1s"], 'health has no option --timeuot; did you mean "--timeout"?'],
    [
      ["run", "--timeout", "1s"],
      "run has no option --timeout; it is an option of health and status",
    ],
    [["status", "http://a", "http://b"], 'status takes one URL; remove "http://b"'],
    [
      ["check", "--token", "x"],
      "check has no option --token; it is an option of health and status",
    ],
    [["--admin-port", ""], adminPort("")],
    [["--admin-port", "65536"], adminPort("65536")],
    [["--admin-port=-1"], adminPort("-1")],
    [["--admin-port", "ws=1"], adminPort("ws=1")],
    [["--log-level", "loud"], levels],
    [["--log-level", ""], levels],
    [["--log-level", "INFO"], levels],
    [["--log-level", "toString"], levels],
    [["--log-format", "xml"], "--log-format must be one of text, json"],
    [["--port", "8080"], port("8080")],
    [["--port", "ws="], port("ws=")],
    [["--port", "=80"], port("=80")],
    [["--port", "ws=-1"], port("ws=-1")],
    [["--port", "ws=65536"], port("ws=65536")],
    [["--port", "ws=999999"], port("ws=999999")],
    [["--port", "ws=8o"], port("ws=8o")],
    [["--port", "ws=80.0"], port("ws=80.0")],
    [["--port", "ws= 80"], port("ws= 80")],
    [["--port", ""], port("")],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => parseCommand(args), { name: "UsageError", message }, args.join(" "));
  }
});

test("an option without its value", () => {
  for (
    const args of [
      ["--port"],
      ["--env-file"],
      ["run", "--log-level"],
      ["check", "--env-file"],
      ["test", "--filter"],
      ["init", "my", "--template"],
      ["health", "--timeout"],
      ["status", "--token"],
      ["--admin-port"],
    ]
  ) {
    assert.throws(() => parseCommand(args), UsageError, args.join(" "));
  }
});

test("a flag that takes no value", () => {
  for (const args of [["--watch=yes"], ["check", "--strict=false"], ["test", "--json=1"]]) {
    assert.throws(() => parseCommand(args), UsageError, args.join(" "));
  }
});

test("the version is the manifest's, and the usage names every option", () => {
  assert.equal(VERSION, manifest.version);
  assert.ok(USAGE.includes(VERSION));
  const options = [
    ...[
      "--admin-port",
      "--token",
      "--port",
      "--log-level",
      "--log-format",
      "--watch",
      "--strict",
      "--connect",
      "--json",
    ],
    ...["--filter", "--template", "--timeout", "--env-file", "--dotenv", "--help", "--version"],
  ];
  for (const option of options) assert.ok(USAGE.includes(option), option);
  for (const template of TEMPLATES) assert.ok(USAGE.includes(template), template);
});
