/** `weir run --watch`: a signal while a change is taken up. */
import assert from "node:assert/strict";
import { stageTest } from "../support/process.ts";
import { openClient, withoutWaits } from "../support/talk.ts";
import { flow, server, startWatching, textOf, write } from "../support/watching.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

/** A plugin whose connector has these members. */
const plugin = (members: string) =>
  `export default { slow: { fields: {}, create: () => ({ ${members} }) } };\n`;

const never = "new Promise(() => {})";

const withPlugin = `service {
  plugins = ["./slow.mjs"]
}
connector "slow" {
  type = "slow"
}
`;

const endless = {
  "a plugin that is still being imported": `console.log("slow now");\nawait ${never};\n`,
  "a connector that is still preparing": plugin(
    `prepare() { console.log("slow now"); return ${never}; }`,
  ),
};

for (const [what, text] of Object.entries(endless)) {
  stageTest(`watch: a signal does not wait for ${what}`, async (stage) => {
    const weir = await startWatching(stage, { "a.hcl": server(), "b.hcl": flow("one") });
    const client = await openClient(weir);
    await write(stage, { "slow.mjs": text, "c.hcl": withPlugin });
    await weir.says(/^slow now$/m);
    assert.equal(await textOf(client), "one");
    weir.signal("SIGTERM");
    assert.deepEqual(await client.ending(), goodbye);
    const { code, stdout, stderr } = await weir.ended();
    assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
    assert.match(stdout, /^weir is ready .*\nslow now\nweir is shutting down\n$/);
  });
}

stageTest("watch: a signal while the former service ends starts no other", async (stage) => {
  const closing = `async drain() {
    console.log("slow now");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }`;
  const weir = await startWatching(stage, {
    "a.hcl": server(),
    "b.hcl": flow("one"),
    "c.hcl": withPlugin,
    "slow.mjs": plugin(closing),
  });
  await write(stage, { "slow.mjs": plugin('async start() { console.log("another one"); }') });
  await weir.says(/^slow now$/m);
  weir.signal("SIGTERM");
  const { code, stdout, stderr } = await weir.ended();
  assert.deepEqual([code, withoutWaits(stderr)], [0, ""]);
  assert.match(stdout, /^weir is ready .*\n(?:slow now\n)+weir is shutting down\n$/);
});
