/** Plugins with `--watch`: their files are watched, and imported anew. */
import assert from "node:assert/strict";
import { complains, count, edit } from "../support/plugins.ts";
import { commandFile, ready, type Stage, stageTest, type Weir } from "../support/process.ts";
import { openClient } from "../support/talk.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

stageTest(
  "watch: a changed plugin is imported anew; one with a mistake changes nothing",
  async (stage) => {
    const folder = await stage.copy("plugins");
    const weir = await startWatching(stage, folder);
    let client = await openClient(weir);
    assert.equal(await count(client), 6);

    await edit(folder, "step.ts", "number = 1", "number = 100");
    assert.deepEqual(await client.ending(), goodbye);
    await weir.says(/restarted .*\n/);
    client = await openClient(weir);
    assert.equal(await count(client), 105);

    await edit(folder, "counter.ts", "by * STEP", "by * * STEP");
    await complains(weir, /^error\[plugin-failed\]: .* \(plugins\/counter\.ts:\d+(?::\d+)?\)$/m);
    await complains(
      weir,
      /^the previous configuration keeps running; waiting for the next change$/m,
    );
    assert.equal(await count(client), 205);

    await edit(folder, "counter.ts", "by * * STEP", "2 * by * STEP");
    assert.deepEqual(await client.ending(), goodbye);
    await weir.says(/(?:restarted .*\n[^]*){2}/);
    client = await openClient(weir);
    assert.equal(await count(client), 205);
    weir.signal("SIGINT");
    assert.equal((await weir.ended()).code, 0);
  },
);

async function startWatching(stage: Stage, folder: string): Promise<Weir> {
  return await ready(await stage.script(commandFile(stage.runtime), ["run", "--watch", folder]));
}
