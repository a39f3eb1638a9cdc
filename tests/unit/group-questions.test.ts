/** What the instances of a group ask each other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { BackplaneError } from "../../src/contract/backplane.ts";
import type { Answers } from "../../src/contract/instances.ts";
import { bytesOf, TestService, textOf, ticks } from "../support/groups.ts";

function texts({ answers, incomplete }: Answers): readonly [readonly string[], boolean] {
  return [answers.map(textOf).sort(), incomplete];
}

test("ask ends when all others have answered", async () => {
  const service = new TestService();
  const a = await service.start("a");
  assert.deepEqual(texts(await a.ws.ask(bytesOf("?"), 500)), [[], false], "nobody is there");
  await service.start("b");
  await service.start("c", {
    answer: (question, from) => bytesOf(`c ${textOf(question)} ${from}`),
  });
  assert.deepEqual(texts(await a.ws.ask(bytesOf("?"), 500)), [["b answers", "c ? a"], false]);
  await service.close();
});

test("a question comes in its turn among the messages, and does not hold them back", async () => {
  const service = new TestService();
  const order: string[] = [];
  const answer = Promise.withResolvers<Uint8Array>();
  const a = await service.start("a");
  const b = await service.start("b", {
    message: (_topic, message) => void order.push(textOf(message)),
    answer(question) {
      order.push(textOf(question));
      return answer.promise;
    },
  });
  await b.ws.listen("x");
  void a.ws.publish("x", bytesOf("1"));
  const asked = a.ws.ask(bytesOf("?"), 500);
  await a.ws.publish("x", bytesOf("2"));
  await ticks();
  assert.deepEqual(order, ["1", "?", "2"]);
  answer.resolve(bytesOf("late"));
  assert.deepEqual(texts(await asked), [["late"], false]);
  await service.close();
});

test("one that does not answer in time makes the answers incomplete, one that dies does not", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const b = await service.start("b", { answer: () => new Promise(() => {}) });
  await service.start("c");
  const impatient = a.ws.ask(bytesOf("?"), 500);
  await service.advance(600);
  assert.deepEqual(texts(await impatient), [["c answers"], true]);
  const patient = a.ws.ask(bytesOf("?"), 20_000);
  service.kill(b);
  await service.advance(8_000, 500);
  assert.deepEqual(texts(await patient), [["c answers"], false]);
  await service.close();
});

test("an instance without the connector is not waited for, and one that fails is", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const b = await service.start("b", {
    answer: () => Promise.reject(new Error("broken")),
  });
  const only = a.group.connector("only");
  assert.deepEqual(texts(await only.ask(bytesOf("?"), 500)), [[], false]);
  const asked = a.ws.ask(bytesOf("?"), 500);
  await service.advance(600);
  assert.deepEqual(texts(await asked), [[], true]);
  assert.equal(b.log.filter((line) => line.includes("broken")).length, 1);
  await service.close();
});

test("askOne asks one instance, and knows nothing of one that does not live", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const b = await service.start("b", { answer: (question) => question });
  await service.start("c");
  const answer = await a.ws.askOne("b", bytesOf("?"), 500);
  assert.equal(answer && textOf(answer), "?");
  assert.equal(await a.ws.askOne("z", bytesOf("?"), 500), undefined);
  service.kill(b);
  const asked = a.ws.askOne("b", bytesOf("?"), 500);
  await service.advance(600);
  assert.equal(await asked, undefined);
  await service.close();
});

test("a question that cannot be sent fails, and one that waits ends with the close", async () => {
  const service = new TestService();
  const a = await service.start("a");
  const b = await service.start("b", { answer: () => new Promise(() => {}) });
  b.link.cut();
  await assert.rejects(b.ws.ask(bytesOf("?"), 500), BackplaneError);
  b.link.mend();
  await service.advance(1_000);
  const asked = a.ws.ask(bytesOf("?"), 5_000);
  await ticks();
  const closed = a.group.close();
  await service.advance(600);
  await closed;
  assert.deepEqual(texts(await asked), [[], true]);
  service.blocked.add(a);
  await service.close();
});

test("an answer that nobody waits for is ignored", async () => {
  const service = new TestService();
  const gate = Promise.withResolvers<Uint8Array>();
  const a = await service.start("a");
  await service.start("b", { answer: () => gate.promise });
  const asked = a.ws.ask(bytesOf("?"), 100);
  await service.advance(200);
  assert.deepEqual(texts(await asked), [[], true]);
  gate.resolve(bytesOf("late"));
  await ticks();
  await service.close();
});
