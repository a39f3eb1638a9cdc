/** `weir run --watch`: restarts, and problems of the configuration. */
import assert from "node:assert/strict";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { ready, stageTest } from "../support/process.ts";
import { opcodes } from "../support/socket-frames.ts";
import { openClient, withoutWaits } from "../support/talk.ts";
import {
  answerOf,
  complains,
  flow,
  folderOf,
  server,
  startedAgain,
  startWatching,
  textOf,
  watching,
  write,
} from "../support/watching.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

stageTest("watch: a change starts again on the same port, and clients get 1001", async (stage) => {
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": flow("one") });
  const client = await openClient(weir);
  assert.equal(await textOf(client), "one");

  await write(stage, { "b.hcl": flow("two") });
  assert.deepEqual(await client.ending(), goodbye);
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), "two");

  // A file that an editor puts in place of another, one that is new, and one that is gone.
  await write(stage, { "b.new": flow("three") });
  await rename(join(folderOf(stage), "b.new"), join(folderOf(stage), "b.hcl"));
  await startedAgain(weir, 2);
  assert.equal(await answerOf(weir), "three");
  await mkdir(join(folderOf(stage), "more"));
  await write(stage, { "more/c.hcl": server("other") });
  await startedAgain(weir, 3);
  assert.match(weir.stdout, /restarted in \d+ ms: .*\/ws {2}.*\/other\n$/);
  await rm(join(folderOf(stage), "more"), { recursive: true });
  await startedAgain(weir, 4);

  weir.signal("SIGINT");
  const { code, stdout, stderr } = await weir.ended();
  assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
  assert.match(
    stdout,
    /^weir is ready .*\n(?:weir restarted .*\n){4}weir is shutting down\n$/,
  );
});

stageTest("watch: a change that is wrong is shown, and what ran goes on", async (stage) => {
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": flow("one") });
  const client = await openClient(weir);
  for (
    const [text, problem] of [
      ['flow "say" {', /^error\[syntax-error\]: syntax error.*\n(?:.*\n)+1 problem$/m],
      ['flow "say" {\n  form {}\n}\n', /did you mean "from"\?/],
      [server("ws", "wss"), /^error\[[a-z-]+\]: .*$/m],
    ] as const
  ) {
    await write(stage, { "b.hcl": text });
    await complains(weir, problem);
    await complains(
      weir,
      /^the previous configuration keeps running; waiting for the next change$/m,
    );
    assert.equal(await textOf(client), "one");
    weir.stderr = "";
  }
  await rm(folderOf(stage), { recursive: true });
  await complains(weir, /^error\[no-configuration\]: .*there is no such file or folder$/m);
  assert.equal(await textOf(client), "one");

  await mkdir(folderOf(stage));
  await write(stage, { "a.hcl": server(), "b.hcl": flow("two") });
  assert.deepEqual(await client.ending(), goodbye);
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), "two");
});

stageTest("watch: a file that the configuration takes in counts, too", async (stage) => {
  const text = flow("").replace(`"''"`, 'file("word.txt")');
  const weir = await startWatching(stage, {
    "a.hcl": server(),
    "b.hcl": text,
    "word.txt": "'one'",
  });
  assert.equal(await answerOf(weir), "one");
  await write(stage, { "word.txt": "'two'" });
  await startedAgain(weir, 1);
  assert.equal(await answerOf(weir), "two");
  await write(stage, { "unrelated.txt": "'three'", "b.hcl": flow("four") });
  await startedAgain(weir, 2);
  assert.equal(await answerOf(weir), "four");
});

stageTest("watch: warnings are shown at every start, and by run without it, too", async (stage) => {
  const doubtful = flow("one").replace("'one'", "client.user_id");
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": doubtful });
  const warning = /^warning\[[a-z-]+\]: flow "say": .*\n +┌ .*b\.hcl:\d+:\d+\n(?:.*\n){2}\n$/;
  await complains(weir, warning);
  weir.stderr = "";
  await write(stage, { "a.hcl": `# The same.\n\n${server()}` });
  await weir.says(/^weir keeps running; the change does not affect it$/m);
  await complains(weir, warning);
  weir.stderr = "";
  await write(stage, { "b.hcl": doubtful.replace("text =", "words =") });
  await startedAgain(weir, 1);
  await complains(weir, /^warning/);
  weir.signal("SIGINT");
  assert.equal((await weir.ended()).code, 0);

  const once = await stage.run([folderOf(stage)]);
  await complains(once, warning);
  once.signal("SIGINT");
  assert.equal((await once.ended()).code, 0);
});

stageTest("watch: a signal while it starts again ends it", async (stage) => {
  const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": flow("one") });
  // Who does not answer the server's goodbye keeps it waiting for a while; but for Bun's, which may
  // have started again before the signal comes.
  const client = await openClient(weir);
  await write(stage, { "b.hcl": flow("two") });
  assert.equal((await client.frame()).opcode, opcodes.close);
  weir.signal("SIGINT");
  const { code, stdout, stderr } = await weir.ended(10_000);
  assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
  const between = stage.runtime === "bun" ? "(?:weir restarted .*\\n)?" : "";
  assert.match(stdout, new RegExp(`^weir is ready .*\\n${between}weir is shutting down\\n$`));
  client.destroy();
});

stageTest(
  "watch: what is wrong at the start is waited for, unless nothing can mend it",
  async (stage) => {
    await mkdir(folderOf(stage));
    await write(stage, { "a.hcl": "conector" });
    const weir = await watching(stage);
    await complains(weir, /^nothing is running; waiting for the next change$/m);
    await write(stage, { "a.hcl": server(), "b.hcl": flow("one") });
    assert.equal(await answerOf(await ready(weir)), "one");
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);

    for (
      const [args, message] of [
        [["nowhere"], /^error\[no-configuration\]: nowhere: there is no such file or folder\n$/],
        [
          [folderOf(stage), "--port", "wss=0"],
          /^error\[usage-error\]: --port wss=0: there is no connector "wss"/,
        ],
      ] as const
    ) {
      const exit = await stage.weir(["run", "--watch", ...args]);
      assert.deepEqual([exit.code, exit.stdout], [2, ""]);
      assert.match(exit.stderr, message);
    }
  },
);
