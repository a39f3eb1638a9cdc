/** What crosses between the instances of a `websocket` connector, as bytes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { audienceOfTopic, topicOf } from "../../src/connectors/websocket/instances/audiences.ts";
import {
  decodeResult,
  encodeResult,
  NOTHING_DONE,
  Results,
  sumOf,
} from "../../src/connectors/websocket/instances/results.ts";
import { instanceOf } from "../../src/connectors/websocket/instances/topics.ts";
import { readValue, writeValue } from "../../src/connectors/websocket/instances/values.ts";
import {
  decode,
  encode,
  type Head,
  Nonsense,
} from "../../src/connectors/websocket/instances/wire.ts";

const utf8 = new TextEncoder();

test("wire: a message crosses with its head, or without one", () => {
  const text = '{"type":"message","data":"für 🦊"}';
  assert.deepEqual(decode(encode("message", {}, text)), { kind: "message", head: {}, text });
  // Nothing is said twice: six bytes, then the text.
  assert.equal(encode("message", {}, text).length, 6 + utf8.encode(text).length);
  const head: Head = {
    number: 7,
    asked: true,
    client: "n1-x",
    except: "n2-y",
    user: "ada",
    from: "n1",
    history: true,
    key: '"k"',
    filter: "0".repeat(64),
    values: { input: { __proto__: null, user: "ada" } },
    room: "a room",
    operation: "join_room",
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  };
  assert.equal(JSON.stringify(decode(encode("order", head)).head), JSON.stringify(head));
  // A part of a larger buffer, as a batch has it.
  const bytes = encode("message", { number: 1 }, text);
  const buffer = new Uint8Array(bytes.length + 9);
  buffer.set(bytes, 5);
  assert.equal(decode(buffer.subarray(5, 5 + bytes.length)).text, text);
});

test("wire: values that JSON has nothing for arrive as they were", () => {
  const values = {
    whole: 2n ** 70n,
    infinite: -Infinity,
    none: NaN,
    time: new Date(1_700_000_000_123),
    bytes: new Uint8Array([0, 255, 7]),
    list: [1n, { deep: [new Date(0)] }],
    marked: { $value: ["whole number", "5"], other: 3n },
    text: "$value",
    nothing: null,
  };
  assert.deepEqual(readValue(writeValue(values)), values);
  const named = readValue('{"__proto__":{"$value":["whole number","5"]}}') as object;
  assert.deepEqual(Object.entries(named), [["__proto__", 5n]]);
});

test("wire: nonsense is told from messages, whatever its bytes", () => {
  const good = encode("message", { number: 1 }, '{"a":1}');
  const changed = (at: number, byte: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = byte;
    return bytes;
  };
  const headed = (head: string, body = "{}"): Uint8Array => {
    const [first, second] = [utf8.encode(head), utf8.encode(body)];
    const bytes = new Uint8Array(6 + first.length + second.length);
    bytes[0] = 1;
    bytes[5] = first.length;
    bytes.set(first, 6);
    bytes.set(second, 6 + first.length);
    return bytes;
  };
  assert.deepEqual(decode(headed("{}")).head, {});
  const nonsense = [
    new Uint8Array(),
    good.subarray(0, 5),
    good.subarray(0, 8),
    changed(0, 2),
    changed(1, 9),
    changed(2, 255),
    changed(good.length - 1, 255),
    headed("{}", "text"),
    ...[
      "[]",
      "null",
      "{",
      "[".repeat(200),
      '{"number":1.5}',
      '{"number":"1"}',
      '{"asked":1}',
      '{"client":{}}',
      '{"user":7}',
      '{"from":[]}',
      '{"history":1}',
      '{"filter":"abc"}',
      '{"values":[]}',
      '{"operation":"broadcast"}',
      '{"room":""}',
      '{"room":"\\ud800"}',
      '{"values":{"a":{"$value":1}}}',
      '{"values":{"a":{"$value":["whole number","1.5"]}}}',
      '{"values":{"a":{"$value":["bytes","?"]}}}',
      '{"values":{"a":{"$value":["object",[1]]}}}',
      '{"values":{"a":{"$value":["?","?"]}}}',
    ].map((head) => headed(head)),
  ];
  for (const bytes of nonsense) assert.throws(() => decode(bytes), Nonsense, `${bytes}`);
  // Any change of one byte is nonsense or a message, and throws nothing else.
  for (let at = 0; at < good.length; at++) {
    for (let byte = 0; byte < 256; byte += 5) {
      try {
        decode(changed(at, byte));
      } catch (error) {
        assert.ok(error instanceof Nonsense);
      }
    }
  }
});

test("wire: a topic has the audience whose topic it is", () => {
  for (const name of ["a", "r/b", "u/c", "*", "__proto__", " "]) {
    for (const operation of ["send_to_room", "send_to_user"]) {
      const audience = { operation, name };
      assert.deepEqual(audienceOfTopic(topicOf(audience) ?? "", undefined), audience);
    }
  }
  assert.deepEqual(audienceOfTopic(topicOf({ operation: "broadcast" }) ?? "", undefined), {
    operation: "broadcast",
  });
  assert.deepEqual(audienceOfTopic("", "n1-x"), { operation: "send_to_client", name: "n1-x" });
  for (const topic of ["", "r/", "u/", "x/a", "r", "**"]) {
    assert.equal(audienceOfTopic(topic, undefined), undefined, topic);
  }
  assert.equal(instanceOf("n1-7b"), "n1");
  for (const id of ["", "-x", "N1-x", "n1", "a".repeat(33) + "-x", "é-x"]) {
    assert.equal(instanceOf(id), undefined, id);
  }
});

test("wire: results cross, are kept once, and add up", () => {
  const result = { recipients: 2, refused: 1, unsubscribed: 1, problem: "no" };
  assert.deepEqual(decodeResult(encodeResult(result)), result);
  assert.deepEqual(decodeResult(encodeResult(NOTHING_DONE)), NOTHING_DONE);
  const wrong = ["", "{", "1", "[]", "{}", '{"recipients":-1,"refused":0,"unsubscribed":0}'];
  wrong.push('{"recipients":1,"refused":0,"unsubscribed":0,"problem":{}}');
  for (const text of wrong) assert.equal(decodeResult(utf8.encode(text)), undefined, text);
  assert.equal(decodeResult(new Uint8Array([255])), undefined);
  assert.deepEqual(sumOf([result, { ...NOTHING_DONE, recipients: 3 }]), {
    ...result,
    recipients: 5,
  });
  assert.deepEqual(sumOf([]), NOTHING_DONE);

  const results = new Results();
  results.keep("n1", 1, result);
  assert.equal(results.take("n2", 1), NOTHING_DONE);
  assert.equal(results.take("n1", 1), result);
  assert.equal(results.take("n1", 1), NOTHING_DONE);
  // Those that nobody asks for are forgotten.
  for (let number = 0; number <= 10_000; number++) results.keep("n1", number, result);
  assert.equal(results.take("n1", 0), NOTHING_DONE);
  assert.equal(results.take("n1", 1), result);
});
