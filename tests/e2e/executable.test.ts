/** The executable does what the command does, where no runtime and no package is installed. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import manifest from "../../deno.json" with { type: "json" };
import { makeExecutable } from "../../executable/build.ts";
import { TEMPLATES } from "../../src/commands/usage.ts";
import { executableTest } from "../support/executable.ts";
import { root } from "../support/process.ts";
import { until } from "../support/socket-probe.ts";
import { ack, openClient, withoutMigrations, withoutWaits } from "../support/talk.ts";
import { openCrowd, startTeam } from "../support/team.ts";
import { withoutTemplateWarning } from "../support/template-warnings.ts";
import { WebClient } from "../support/web-client.ts";
import { childrenOf, gone } from "../support/workers.ts";

executableTest("--version, --help and wrong usage", async (stage) => {
  assert.equal((await stage.weir(["--version"])).stdout, `${manifest.version}\n`);
  const { code, stdout } = await stage.weir(["--help"]);
  assert.equal(code, 0);
  assert.match(stdout, /^weir .*\n\nusage:\n/);
  assert.equal((await stage.weir(["check", "--nonsense"])).code, 2);
});

executableTest("a Bun that cannot be started is named", async ({ folder }) => {
  const making = makeExecutable({ bun: "/nowhere/bun", output: join(folder, "made/weir") });
  await assert.rejects(making, /^Error: the executable cannot be made:\n.*\/nowhere\/bun/);
  assert.deepEqual(await readdir(join(folder, "made")), []);
});

executableTest("nothing in it is a path of the machine that made it", async (stage) => {
  // A package that reads a file beside its own module would find it on this machine alone.
  const bytes = await readFile(stage.executable);
  assert.ok(bytes.includes("main.wasm"));
  assert.equal(bytes.indexOf(root), -1);
});

executableTest("it needs no library but those of glibc", async (stage) => {
  const { stdout } = await promisify(execFile)("ldd", [stage.executable]);
  const names = stdout.trim().split("\n").map((line) => line.trim().split(/[\s.]/)[0]);
  const known =
    /^(?:linux-vdso|libc|libm|libdl|libpthread|\/lib64\/ld-linux-x86-64|\/lib\/ld-linux-aarch64)$/;
  assert.deepEqual(names.filter((name) => !known.test(name)), []);
});

executableTest("the clients of PostgreSQL and MySQL are in it", async (stage) => {
  // Nobody listens there.
  const databases = [["postgres", "postgres://127.0.0.1:1/a"], ["mysql", "mysql://127.0.0.1:1/a"]]
    .map(([driver, url]) =>
      `connector "${driver}" {\n  type = "database"\n  driver = "${driver}"\n  url = "${url}"\n}\n`
    );
  await writeFile(join(stage.folder, "a.hcl"), databases.join(""));
  const { code, stderr } = await stage.weir(["check", "--connect", "a.hcl"]);
  assert.equal(code, 3);
  const lines = stderr.trimEnd().split("\n");
  assert.equal(lines.length, 2, stderr);
  for (const [index, name] of ["postgres", "mysql"].entries()) {
    assert.match(lines[index], new RegExp(`connector "${name}": cannot open .*ECONNREFUSED`));
  }
});

for (const template of TEMPLATES) {
  executableTest(`the template ${template} is good, passes its tests and runs`, async (stage) => {
    const made = await stage.weir(["init", "my app", "--template", template]);
    assert.deepEqual([made.code, made.stderr], [0, ""]);
    const folder = join(stage.folder, "my app");
    // The commands that it prints start it.
    assert.match(made.stdout, /^ {2}cd 'my app'\n {2}\.\.\/weir run --dotenv\n/m);
    await writeFile(join(folder, ".env"), "PORT=0\n");
    const options = { cwd: folder };
    const checked = await stage.weir(["check", "--dotenv"], options);
    assert.deepEqual([checked.code, withoutTemplateWarning(template, checked.stderr)], [0, ""]);
    const tested = await stage.weir(["test", "--dotenv"], options);
    assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);

    const weir = await stage.run(["--dotenv"], options);
    const at = `http://localhost:${weir.port}`;
    const page = await fetch(at);
    assert.equal(await page.text(), await readFile(join(folder, "public/index.html"), "utf8"));
    assert.ok((await readdir(join(folder, "data"))).includes(`${template}.db`));
    const health = await stage.weir(["health", at]);
    assert.deepEqual([health.code, health.stdout], [0, `ready: ${at}/health/ready\n`]);
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0, weir.output);
    assert.equal((await stage.weir(["health", at])).code, 1);
  });
}

for (
  const example of ["auth", "connectors/lines.hcl", "connectors/pulse.hcl", "embed", "rabbitmq"]
) {
  executableTest(`the example ${example} is good and passes its tests`, async (stage) => {
    const [name] = example.split("/");
    const filter = (path: string) => !path.endsWith("/data");
    await cp(join(root, "examples", name), join(stage.folder, name), { recursive: true, filter });
    const env = { JWT_SECRET: "a secret of a test that has 32 bytes" };
    // The page of the example of RabbitMQ warns about nothing; the broker is not asked.
    const checked = await stage.weir(["check", "--strict", example], { env });
    assert.deepEqual([checked.code, checked.stderr], [0, ""]);
    const tested = await stage.weir(["test", example], { env });
    assert.deepEqual([tested.code, tested.stderr], [0, ""], tested.stdout);
  });
}

executableTest("the chat answers, and its members hear each other", async (stage) => {
  await stage.weir(["init", "chat"]);
  const weir = await stage.run(["chat"], { env: { PORT: "0" } });
  const [ada, bob] = await Promise.all(["Ada", "Bob"].map(async (name) => {
    const client = await WebClient.open(`ws://localhost:${weir.port}/ws?name=${name}`);
    await client.request({ type: "join_room", room: "lobby" });
    return client;
  }));
  const data = { id: "m1", room: "lobby", text: "Hello" };
  assert.equal((await ada.request({ type: "message", data })).type, "ack");
  await until("the message", async () => {
    const message = await bob.message() as { readonly text?: string };
    return message.text === "Hello";
  });
  const stored = await fetch(`http://localhost:${weir.port}/rooms/lobby/messages`);
  assert.match(await stored.text(), /"text":"Hello"/);
  weir.signal("SIGINT");
  assert.deepEqual([await ada.closed, await bob.closed], [1001, 1001]);
  assert.equal((await weir.ended()).code, 0);
});

executableTest("two workers are one service, and one that is killed is replaced", async (stage) => {
  const team = await startTeam(stage);
  const { pid } = team.weir;
  const workers = await childrenOf(pid);
  assert.equal(workers.length, 2);
  for (const worker of workers) {
    assert.equal(await readlink(`/proc/${worker}/exe`), stage.executable);
  }
  const { clients } = await openCrowd(team, 10);
  clients[0].say({ type: "message", data: { to: "everyone", text: "hello" } });
  for (const client of clients.slice(1)) {
    assert.deepEqual(await client.hear(), { type: "message", data: { text: "hello" } });
  }
  process.kill(workers[1], "SIGKILL");
  await gone(workers[1]);
  await until("a new worker", async () => (await childrenOf(pid)).length === 2);
  team.weir.signal("SIGTERM");
  assert.equal((await team.weir.ended()).code, 0, team.weir.output);
});

executableTest("a query that may take long runs in another process", async (stage) => {
  await mkdir(join(stage.folder, "app"));
  await writeFile(join(stage.folder, "app/1.sql"), "CREATE TABLE notes (text TEXT);");
  const config = `
    connector "api" {
      type = "rest"
      port = 0
    }
    connector "db" {
      type       = "database"
      driver     = "sqlite"
      database   = "./notes.db"
      migrations = "."
    }
    flow "count" {
      from {
        connector = "api"
        operation = "GET /notes"
      }
      step "all" {
        connector = "db"
        query     = "SELECT count(*) AS amount FROM notes WHERE text LIKE '%a%'"
      }
      response {
        amount = "step.all.amount"
      }
    }
  `;
  await writeFile(join(stage.folder, "app/app.hcl"), config);
  const weir = await stage.run(["app"]);
  assert.deepEqual(await childrenOf(weir.pid), []);
  const answer = await fetch(`http://localhost:${weir.port}/notes`);
  assert.deepEqual(await answer.json(), { amount: 0 });
  const [reader, ...others] = await childrenOf(weir.pid);
  assert.deepEqual(others, []);
  assert.equal(await readlink(`/proc/${reader}/exe`), stage.executable);
  weir.signal("SIGTERM");
  assert.deepEqual([(await weir.ended()).code, withoutWaits(withoutMigrations(weir.stderr))], [
    0,
    "",
  ]);
  await gone(reader);
});

/** A service that answers with the texts of variables. */
function greeting(text: string): string {
  return `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    flow "greet" {
      from {
        connector = "ws"
        operation = "greet"
      }
      response {
        text = "'${text}'"
      }
    }
  `;
}

executableTest("--watch restarts after a change", async (stage) => {
  const file = join(stage.folder, "live.hcl");
  await writeFile(file, greeting("one"));
  const weir = await stage.run(["--watch", "live.hcl"]);
  const client = await openClient(weir);
  assert.deepEqual(await client.ask({ type: "greet", id: 1 }), {
    ...ack(1),
    data: { text: "one" },
  });
  await writeFile(file, greeting("two"));
  assert.equal((await client.ending()).code, 1001);
  await weir.says(/^weir restarted in /m);
  const next = await openClient(weir);
  assert.deepEqual(await next.ask({ type: "greet", id: 1 }), { ...ack(1), data: { text: "two" } });
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);
});

executableTest("it reads no file of the working directory that nobody named", async (stage) => {
  const files = {
    ".env": "WORD=dotenv\n",
    ".env.local": "WORD=local\n",
    "bunfig.toml": 'preload = ["./evil.ts"]\n[define]\n"process.env.WORD" = "1"\n',
    "evil.ts": 'await Bun.write("evil.txt", "run");',
    "package.json": '{ "name": ',
    "tsconfig.json": '{ "compilerOptions": ',
    "live.hcl": greeting('${env("WORD", "nothing")}'),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(stage.folder, name), text);
  const said = async (...args: readonly string[]) => {
    const weir = await stage.run(["live.hcl", ...args]);
    const client = await openClient(weir);
    const { data } = await client.ask({ type: "greet", id: 1 });
    weir.signal("SIGTERM");
    const { code, stderr } = await weir.ended();
    assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
    return data;
  };
  assert.deepEqual(await said(), { text: "nothing" });
  assert.deepEqual(await said("--workers", "2"), { text: "nothing" });
  assert.deepEqual(await said("--dotenv"), { text: "dotenv" });
  assert.ok(!(await readdir(stage.folder)).includes("evil.txt"));
});
