/** The steps of deploy/Dockerfile, by hand: a folder is the image. */
import assert from "node:assert/strict";
import {
  chmod,
  chown,
  copyFile,
  cp,
  mkdir,
  readdir,
  readFile,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { type ExecutableStage, executableTest } from "../support/executable.ts";
import { ready, root } from "../support/process.ts";
import { ack, openClient, rowsOf, withoutMigrations, withoutWaits } from "../support/talk.ts";

/** No user has this number, as with `docker run --user` and on OpenShift. */
const UNKNOWN_USER = 1_234_567;

/** The instructions of a Dockerfile: name and text, on one line each. */
async function readInstructions(): Promise<(readonly [name: string, text: string])[]> {
  const text = await readFile(join(root, "deploy/Dockerfile"), "utf8");
  return text.replaceAll(/^#.*\n/gm, "").replaceAll(/\\\n\s*/g, "").split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [, name, rest] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
      return [name, rest] as const;
    });
}

/** What the image is, as far as a container needs it. */
interface Image {
  readonly user: number;
  readonly folder: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly health: readonly string[];
}

/** Carries out every instruction. A path of the image is one below `image`. */
async function build(image: string): Promise<Image> {
  const inside = (path: string) => join(image, path);
  const found: Record<string, string> = {};
  let uid = "";
  for (const [name, text] of await readInstructions()) {
    found[name] = text;
    if (name === "COPY") {
      const [from, to] = text.split(" ");
      if (from === "app") await cp(join(root, "deploy/app"), inside(to), { recursive: true });
      else {
        assert.equal(from, "weir");
        await mkdir(inside("usr/local/bin"), { recursive: true });
        await copyFile(join(image, "../weir"), inside(to));
      }
    } else if (name === "RUN" && text.startsWith("useradd ")) {
      [, uid = ""] = /^useradd --uid (\d+) .* weir$/.exec(text) ?? [];
    } else if (name === "RUN") {
      const pattern = /^install --directory --owner=weir --group=weir --mode=(\d+) (\/\S+)$/;
      const [, mode, path] = pattern.exec(text) ?? [];
      await mkdir(inside(path));
      await chmod(inside(path), parseInt(mode, 8));
      if (process.getuid?.() === 0) await chown(inside(path), Number(uid), Number(uid));
    } else {
      const known = ["FROM", "USER", "WORKDIR", "ENV", "VOLUME", "EXPOSE"];
      assert.ok([...known, "HEALTHCHECK", "ENTRYPOINT", "CMD"].includes(name), name);
    }
  }
  assert.equal(found.USER, uid);
  const list = (text: string) => JSON.parse(text.slice(text.indexOf("["))) as string[];
  const located = (words: readonly string[]) =>
    words.map((word) =>
      word === "weir" ? inside("usr/local/bin/weir") : word.startsWith("/") ? inside(word) : word
    );
  return {
    user: Number(uid),
    folder: inside(found.WORKDIR),
    variables: Object.fromEntries([found.ENV.split("=")]),
    command: located([...list(found.ENTRYPOINT), ...list(found.CMD)]),
    health: located(list(found.HEALTHCHECK)),
  };
}

executableTest(
  "a container of the Dockerfile serves, without the rights of root",
  async (stage) => {
    const image = join(stage.folder, "image");
    await mkdir(image);
    // Another user must reach it.
    await chmod(stage.folder, 0o755);
    const { user, folder, variables, command, health } = await build(image);
    const start = (words: readonly string[]) => startAs(stage, user, words, folder, variables);

    const weir = await ready(start([...command, "--port", "ws=0"]));
    const client = await openClient(weir);
    client.say({ type: "message", data: { text: "hello" }, id: 1 });
    const answers = await client.hearMany(2);
    assert.ok(answers.some(({ type }) => type === ack(1).type), JSON.stringify(answers));
    const database = join(folder, "data/live.db");
    assert.deepEqual(rowsOf(database, "messages").map(({ text }) => text), ["hello"]);
    const { uid } = await stat(database);
    assert.equal(uid, process.getuid?.() === 0 ? user : uid);

    const address = `http://localhost:${weir.port}`;
    const here = health.map((word) => word.replace("http://localhost:3000", address));
    assert.ok(here.includes(address), here.join(" "));
    assert.equal((await start(here).ended()).code, 0);
    weir.signal("SIGTERM");
    assert.deepEqual([(await weir.ended()).code, withoutWaits(withoutMigrations(weir.stderr))], [
      0,
      "",
    ]);
    assert.equal((await start(here).ended()).code, 1);
    // It has written into its volume alone.
    assert.deepEqual((await readdir(image)).sort(), ["app", "usr"]);
    assert.deepEqual((await readdir(folder)).sort(), [
      "data",
      "live.hcl",
      "migrations",
      "tests.hcl",
    ]);
  },
);

executableTest("it runs as a user that the system does not know, without a home", async (stage) => {
  await chmod(stage.folder, 0o755);
  const file = join(stage.folder, "live.hcl");
  await writeFile(file, 'connector "ws" {\n type = "websocket"\n port = 0\n}');
  const command = ["env", "-i", stage.executable, "run", file];
  const weir = await ready(startAs(stage, UNKNOWN_USER, command, stage.folder, {}));
  weir.signal("SIGTERM");
  assert.deepEqual([(await weir.ended()).code, weir.stderr], [0, ""]);
});

/** Starts a command as another user, if this one may. */
function startAs(
  stage: ExecutableStage,
  user: number,
  words: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
) {
  const change = process.getuid?.() === 0
    ? ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups", "--"]
    : [];
  const [program, ...args] = [...change, ...words];
  return stage.command(program, args, { cwd, env: { PATH: "/usr/bin:/bin", ...env } });
}
