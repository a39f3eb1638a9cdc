/** How long a shutdown waits for what does not end; apart from the other signals, since it takes so long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { onAllRuntimes, ready } from "../support/process.ts";
import { openClient } from "../support/talk.ts";

const goodbye = { code: 1001, reason: "the server is shutting down" };

test("a flow that never ends holds a shutdown up for 30 s at most, and clients get 1001", () =>
  onAllRuntimes(async (stage) => {
    const folder = await stage.copy("talk");
    const weir = await ready(await stage.script("tests/fixtures/scripts/hanging.ts", [folder]));
    const hanging = await openClient(weir);
    hanging.say({ type: "message", data: { to: "database" } });
    const other = await openClient(weir);
    await other.hearsNothing();
    weir.signal("SIGTERM");
    const signalled = performance.now();
    const endings = await Promise.all([hanging.ending(), other.ending()]);
    const { code, stderr } = await weir.ended(45_000);
    const waited = performance.now() - signalled;
    assert.deepEqual(endings, [goodbye, goodbye]);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /shutdown step drain timed out/);
    assert.ok(waited < 31_000, `${waited} ms`);
  }));
