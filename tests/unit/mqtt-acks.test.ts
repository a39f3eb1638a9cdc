import assert from "node:assert/strict";
import { test } from "node:test";
import { Acks } from "../../src/connectors/mqtt/client/acks.ts";

/** Acknowledgments as `ack 1` and `rec 2`. */
class Written {
  readonly lines: string[] = [];

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += 4) {
      const [type, length, high, low] = bytes.subarray(at, at + 4);
      assert.equal(length, 2);
      this.lines.push(`${type === 0x40 ? "ack" : "rec"} ${high * 256 + low}`);
    }
  }
}

function begin(): { readonly acks: Acks; readonly written: Written } {
  const acks = new Acks(() => {});
  const written = new Written();
  acks.begin(written, false);
  return { acks, written };
}

const first = { dup: false } as const;
const again = { dup: true } as const;

test("acknowledgments go out in the order of the messages", () => {
  const { acks, written } = begin();
  const [one, two, three] = [1, 300, 2].map((id) => acks.take({ id, qos: 1, ...first }));
  assert.equal(acks.open, 3);
  two?.();
  three?.();
  acks.flush();
  assert.deepEqual(written.lines, [], "the first message is still at work");
  one?.();
  acks.flush();
  assert.deepEqual(written.lines, ["ack 1", "ack 300", "ack 2"]);
  assert.equal(acks.open, 0);
});

test("a message that comes again on a resumed session is not handled twice", () => {
  const { acks, written } = begin();
  const done = acks.take({ id: 1, qos: 1, ...first });
  const slow = acks.take({ id: 2, qos: 2, ...first });
  acks.lost();
  done?.();
  const resumed = new Written();
  acks.begin(resumed, true);
  assert.equal(acks.take({ id: 1, qos: 1, ...again }), undefined, "it was handled");
  assert.equal(acks.take({ id: 2, qos: 2, ...again }), undefined, "it is at work");
  acks.flush();
  assert.deepEqual(resumed.lines, ["ack 1"]);
  slow?.();
  acks.flush();
  assert.deepEqual(resumed.lines, ["ack 1", "rec 2"]);
  assert.deepEqual(written.lines, [], "nothing goes to the old connection");
  assert.ok(acks.take({ id: 1, qos: 1, ...again }) !== undefined, "its number is free again");
});

test("with QoS 2 what was handled is not handled again before the broker has released it", () => {
  const { acks, written } = begin();
  acks.take({ id: 7, qos: 2, ...first })?.();
  acks.flush();
  assert.equal(acks.take({ id: 7, qos: 2, ...again }), undefined);
  acks.flush();
  assert.deepEqual(written.lines, ["rec 7", "rec 7"]);
  acks.released(7);
  assert.ok(acks.take({ id: 7, qos: 2, ...first }) !== undefined, "it is another message");
});

test("a session that the broker has forgotten begins with nothing", () => {
  const { acks } = begin();
  const old = acks.take({ id: 1, qos: 1, ...first });
  acks.take({ id: 2, qos: 2, ...first })?.();
  acks.flush();
  acks.lost();
  const next = new Written();
  acks.begin(next, false);
  old?.();
  const fresh = acks.take({ id: 1, qos: 1, ...again });
  assert.ok(fresh !== undefined, "another message has its number");
  assert.ok(acks.take({ id: 2, qos: 2, ...again }) !== undefined);
  acks.flush();
  assert.deepEqual(next.lines, [], "the end of the old one acknowledges nothing");
  fresh();
  acks.flush();
  assert.deepEqual(next.lines, ["ack 1"]);
});
