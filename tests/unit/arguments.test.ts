import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import manifest from "../../deno.json" with { type: "json" };
import {
  type Command,
  parseCommand,
  USAGE,
  UsageError,
  VERSION,
} from "../../src/commands/arguments.ts";

const here = [process.cwd()];
const run = {
  name: "run",
  paths: here,
  envFile: undefined,
  ports: {},
  logLevel: "info",
  logFormat: "text",
} as const;

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
    [["--env-file", ".env"], { ...run, envFile: ".env" }],
    [["--port", "ws=0"], { ...run, ports: { ws: 0 } }],
    [["--port=ws=65535", "--port", "api=80"], { ...run, ports: { ws: 65535, api: 80 } }],
    [["--port", "ws=1", "--port", "ws=2"], { ...run, ports: { ws: 2 } }],
    [["--port", "a=b=8080"], { ...run, ports: { "a=b": 8080 } }],
    [["--port", "my ws=08"], { ...run, ports: { "my ws": 8 } }],
    [["--", "--odd"], { ...run, paths: ["--odd"] }],
    [["check"], { name: "check", paths: here, envFile: undefined }],
    [["check", "a", "b"], { name: "check", paths: ["a", "b"], envFile: undefined }],
    [["check", "--env-file=x", "a"], { name: "check", paths: ["a"], envFile: "x" }],
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
  const port = (text: string) =>
    `--port ${text}: write it as --port NAME=PORT, with a port up to 65535`;
  const levels = "--log-level is one of trace, debug, info, warning, error";
  const cases: ReadonlyArray<readonly [args: readonly string[], message: string]> = [
    [["--log-levle", "info"], 'there is no option --log-levle; did you mean "--log-level"?'],
    [["run", "--prot", "a=1"], 'there is no option --prot; did you mean "--port"?'],
    [["--watch"], "there is no option --watch; see --help"],
    [["--workers", "4"], "there is no option --workers; see --help"],
    [["-x"], "there is no option -x; see --help"],
    [["--__proto__"], "there is no option --__proto__; see --help"],
    [["check", "--strict"], "there is no option --strict; see --help"],
    [["check", "--json"], "there is no option --json; see --help"],
    [["check", "--connect", "my"], "there is no option --connect; see --help"],
    [["check", "--log-level", "info"], "there is no option --log-level; see --help"],
    [["test"], "there is no command test yet; ./test is the folder of that name"],
    [["init", "my"], "there is no command init yet; ./init is the folder of that name"],
    [["--log-level", "loud"], levels],
    [["--log-level", ""], levels],
    [["--log-level", "INFO"], levels],
    [["--log-level", "toString"], levels],
    [["--log-format", "xml"], "--log-format is one of text, json"],
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
    const args of [["--port"], ["--env-file"], ["run", "--log-level"], ["check", "--env-file"]]
  ) {
    assert.throws(() => parseCommand(args), UsageError, args.join(" "));
  }
});

test("the version is the manifest's, and the usage names every option", () => {
  assert.equal(VERSION, manifest.version);
  assert.ok(USAGE.includes(VERSION));
  const options = ["--port", "--log-level", "--log-format", "--env-file", "--help", "--version"];
  for (const option of options) assert.ok(USAGE.includes(option), option);
});
