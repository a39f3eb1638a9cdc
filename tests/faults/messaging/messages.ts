/** The entries of "Downstream" about messages that fail, come twice, or are refused. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import { pause, until } from "../downstream.ts";
import { type Kind, settled } from "./kind.ts";
import { type Fault, messagingFaults, type Scene } from "./scene.ts";

const keeps = ({ keeps }: Kind): boolean => keeps;
const hasLetters = ({ deadLetters }: Kind): boolean => deadLetters;

/** Registers them. */
export async function messagingMessages(kinds: readonly Kind[]): Promise<void> {
  const fault = await messagingFaults(kinds);
  flowEntries(fault);
  poisonEntries(fault);
  refusalEntries(fault);
  removalEntries(fault, kinds);
}

function flowEntries(fault: Fault): void {
  fault(
    "connection cut in mid-flow → the message is not acked but comes again, the next ones pass",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve({ proxied: true });
      await bench.probe.hold();
      await scenes.each(async (scene) => {
        await (await scene.peer()).publish(scene.key(), { n: 1 });
        await scene.arrived(1);
      });
      for (const { proxy } of scenes.all) {
        const { taken } = proxy;
        proxy.cut();
        await until("another connection", () => proxy.taken > taken);
      }
      await bench.recovered();
      await bench.probe.releaseAll();
      await scenes.each(async (scene) => {
        const peer = await scene.peer();
        await peer.publish(scene.key(), { n: 2 });
        await scene.arrived(2);
        await settled(peer, 20_000);
      });
    },
    keeps,
  );

  fault(
    "slow flow → prefetch stops intake, nothing is lost, and order stays",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve({ prefetch: 1 });
      await bench.probe.hold();
      await scenes.each(async (scene) => {
        const peer = await scene.peer();
        for (let n = 1; n <= 10; n++) await peer.publish(scene.key(), { n });
        await scene.arrived(1);
      });
      // What would be taken beyond that would be by now.
      await pause(300);
      await scenes.each(async (scene) => {
        assert.deepEqual(await scene.numbers(), [1]);
        // Some servers count those at work, too.
        const waiting = await (await scene.peer()).waiting() ?? 9;
        assert.ok(waiting >= 9, `${waiting} wait`);
      });
      assert.equal((await bench.ready()).status, 200);
      await bench.probe.releaseAll();
      await scenes.each(async (scene) => {
        const peer = await scene.peer();
        await settled(peer);
        assert.deepEqual(await scene.numbers(), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
      });
    },
    keeps,
  );
}

const FAIL = 'to {\n connector = "probe"\n target = "fail"\n }';

/** Flows for messages that fail, each in its own way. */
function failing(scene: Scene): string {
  const probe = `to {\n connector = "probe"\n target = "${scene.name}"\n }`;
  return `
    ${scene.flow("fail", "poison", FAIL)}
    type "good ${scene.name}" {
      n = number()
    }
    ${scene.flow("check", "checked", `validate {\n input = "good ${scene.name}"\n }\n ${probe}`)}
    ${scene.flow("compute", "computed", `transform {\n n = "input.n + 1"\n }\n ${probe}`)}
  `;
}

function poisonEntries(fault: Fault): void {
  fault(
    "poison message → N attempts with delay, then a dead letter with reason, flow, time and key; the next ones pass",
    async (scenes) => {
      await scenes.serve({ prefetch: 1, dlq: { retries: 2, delay: "500ms" }, blocks: failing });
      await scenes.each(async (scene) => {
        const peer = await scene.peer();
        const began = performance.now();
        await peer.publish(scene.key("poison"), { n: 1 });
        await peer.publish(scene.key(), { n: 2 });
        await scene.arrived(2);
        await until("the dead letter", async () => (await scene.counts()).dead_lettered === 1);
        assert.ok(performance.now() - began > 990, "two delays");
        const { consumed, retried, acked } = await scene.counts();
        assert.deepEqual({ consumed, retried, acked }, { consumed: 4, retried: 2, acked: 1 });
        const [{ body, headers }] = await peer.letters();
        assert.deepEqual(body, { n: 1 });
        assert.equal(headers["x-weir-routing-key"], scene.key("poison"));
        assert.equal(headers["x-weir-flow"], `fail ${scene.name}`);
        assert.equal(Number(headers["x-weir-retries"]), 2);
        assert.match(headers["x-weir-reason"], /^flow_failed: flow "fail .*" failed \(ref \w+\)/);
        assert.ok(Math.abs(Date.parse(headers["x-weir-time"]) - Date.now()) < 60_000);
        await settled(peer);
      });
    },
    hasLetters,
  );

  fault(
    "poison message without dlq → 3 deliveries 1 s apart, then discarded, logged with its key and the reason, counted",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve({ blocks: failing });
      await scenes.each(async (scene) => {
        const peer = await scene.peer();
        const began = performance.now();
        await peer.publish(scene.key("poison"), { n: 1 });
        await until("the end", async () => (await scene.counts()).discarded === 1);
        const ms = performance.now() - began;
        assert.ok(ms > 1_900 && ms < 6_000, `three deliveries in ${ms} ms`);
        assert.equal((await scene.counts()).consumed, 3);
        const told = await bench.logged(
          new RegExp(`message ${scene.key("poison")} was discarded: flow_failed: flow "fail`),
          "error",
        );
        assert.equal(told.length, 1);
        await settled(peer);
      });
    },
  );

  fault(
    "what cannot succeed (no JSON, validation, an expression's error) → not repeated, and the next ones pass",
    async (scenes) => {
      await scenes.serve({ blocks: failing });
      await scenes.each(async (scene) => {
        const peer = await scene.peer();
        await peer.publish(scene.key("checked"), Buffer.from("{no json"));
        await peer.publish(scene.key("checked"), Buffer.from([0xff, 0xfe]));
        await peer.publish(scene.key("checked"), { n: "no number" });
        await peer.publish(scene.key("computed"), { n: null });
        await peer.publish(scene.key("checked"), { n: 1 });
        await peer.publish(scene.key("computed"), { n: 1 });
        await scene.arrived(1);
        await scene.arrived(2);
        await until("the others", async () => (await scene.counts()).discarded === 4);
        const { retried, acked } = await scene.counts();
        assert.deepEqual({ retried, acked }, { retried: 0, acked: 2 });
      });
    },
  );

  fault("same message id again → one effect where dedupe says so", async (scenes) => {
    const { bench } = scenes;
    const storing = (scene: Scene) =>
      scene.flow(
        "store",
        "stored",
        `dedupe {
           key   = "input.body.id"
           ttl   = "10m"
           store = "db"
         }
         to {
           connector = "db"
           target    = "notes"
         }`,
      );
    const database = await bench.database("CREATE TABLE notes (id TEXT, text TEXT);");
    let first = true;
    await scenes.serve({
      blocks: (scene) => {
        const before = first ? database : "";
        first = false;
        return before + storing(scene);
      },
    });
    await scenes.each(async (scene) => {
      const peer = await scene.peer();
      const send = (id: string) =>
        peer.publish(scene.key("stored"), { id: `${scene.name}-${id}`, text: id });
      await Promise.all([send("one"), send("one"), send("two")]);
      await send("two");
      await until("four acks", async () => (await scene.counts()).acked === 4);
    });
    const notes = new DatabaseSync(bench.file);
    const rows = notes.prepare("SELECT id FROM notes ORDER BY id").all().map(({ id }) => id);
    notes.close();
    const expected = scenes.all.flatMap(({ name }) => [`${name}-one`, `${name}-two`]);
    assert.deepEqual(rows, expected.sort());
  });
}

function refusalEntries(fault: Fault): void {
  fault(
    "publish refused by the server → flow fails, named in the log; later publishes pass",
    async (scenes) => {
      const { bench } = scenes;
      await scenes.serve({
        blocks: (scene) =>
          scene.kind.refusals.map(({ key }, index) =>
            scene.publishing(`to_${index}`, "refused", { key: key?.(scene.id) })
          ).join(""),
      });
      await scenes.each(async (scene) => {
        for (const [index, refusal] of scene.kind.refusals.entries()) {
          const { what, arrange, reason, payload = { n: 1 } } = refusal;
          const undo = await arrange?.(scene.server);
          try {
            assert.equal(await scene.publish(payload, `to_${index}`), "flow_failed", what);
            const told = await bench.logged(reason);
            assert.ok(told.length > 0, `${what}: ${JSON.stringify(await bench.server.log())}`);
          } finally {
            await undo?.();
          }
          const n = 10 + index;
          await until(`${what}: later`, async () => await scene.publish({ n }) === undefined);
          await scene.arrived(n);
        }
      });
    },
    ({ refusals }) => refusals.length > 0,
  );

  fault(
    "publish from a message's flow refused → that message is not acked but becomes a dead letter",
    async (scenes) => {
      await scenes.serve({
        dlq: { retries: 0, delay: "1s" },
        blocks: (scene) => {
          const [{ key }] = scene.kind.refusals;
          const target = JSON.stringify(key?.(scene.id) ?? scene.key("refused"));
          return scene.flow(
            "relay",
            "relayed",
            `to {\n connector = "${scene.name}"\n target = ${target}\n }`,
          );
        },
      });
      await scenes.each(async (scene) => {
        const [{ arrange, payload = { n: 1 } }] = scene.kind.refusals;
        assert.equal(arrange, undefined, "a dead letter would be refused as well");
        const peer = await scene.peer();
        await peer.publish(scene.key("relayed"), payload);
        await until("the dead letter", async () => (await scene.counts()).dead_lettered === 1);
        const { acked, published } = await scene.counts();
        assert.deepEqual({ acked, published }, { acked: 0, published: 0 });
        assert.equal((await peer.letters()).length, 1);
      });
    },
    ({ deadLetters, refusals }) => deadLetters && refusals.length > 0,
  );
}

function removalEntries(fault: Fault, kinds: readonly Kind[]): void {
  for (const kind of kinds) {
    for (const [what, remove] of Object.entries(kind.removals)) {
      fault(
        `${what} deleted by the operator → declared again, consumed again`,
        async (scenes) => {
          await scenes.serve();
          const [scene] = scenes.all;
          assert.equal(await scene.publish({ n: 1 }), undefined);
          await scene.arrived(1);
          await remove(scene.server, scene.id);
          let n = 1;
          await until("it comes again", async () => {
            await scene.publish({ n: ++n });
            await pause(100);
            return (await scene.numbers()).includes(n);
          }, 20_000);
          await scenes.bench.recovered();
        },
        (other) => other === kind,
      );
    }
  }
}
