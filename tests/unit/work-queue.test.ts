import assert from "node:assert/strict";
import { test } from "node:test";
import { WorkQueue } from "../../src/connectors/websocket/work-queue.ts";
import { placed } from "../../src/contract/placed.ts";
import { seeded } from "../support/random.ts";

interface Item {
  readonly name: number;
}

/** A queue whose items end when the test says so. */
function controlled(concurrency: number, sizeMark?: number) {
  const started: number[] = [];
  const ends = new Map<number, () => void>();
  const pressure: boolean[] = [];
  const begin = (name: number): Promise<void> => {
    started.push(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    ends.set(name, resolve);
    return promise;
  };
  const queue = new WorkQueue<Item>(
    concurrency,
    { serve: ({ name }) => begin(name) },
    (high) => pressure.push(high),
    sizeMark,
  );
  const end = async (name: number): Promise<void> => {
    ends.get(name)?.();
    ends.delete(name);
    await settled();
  };
  return {
    queue,
    started,
    pressure,
    begin,
    end,
    push: (name: number, size?: number) => queue.push({ name }, size),
  };
}

/** All promises that can settle by themselves have. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

test("an item that ends at once never waits and creates no promise", () => {
  const served: number[] = [];
  const queue = new WorkQueue<Item>(1, { serve: ({ name }) => void served.push(name) }, () => {});
  for (let name = 0; name < 1000; name++) {
    queue.push({ name });
    assert.equal(served.length, name + 1);
  }
  assert.deepEqual(served, Array.from({ length: 1000 }, (_, name) => name));
});

test("with concurrency 1 the next item starts when the former has ended", async () => {
  const { started, end, push } = controlled(1);
  for (const name of [1, 2, 3]) push(name);
  assert.deepEqual(started, [1]);
  await end(1);
  assert.deepEqual(started, [1, 2]);
  await end(2);
  assert.deepEqual(started, [1, 2, 3]);
});

test("with concurrency 2 the third item takes the place of whichever ends first", async () => {
  const { started, end, push } = controlled(2);
  for (const name of [1, 2, 3, 4]) push(name);
  assert.deepEqual(started, [1, 2]);
  await end(2);
  assert.deepEqual(started, [1, 2, 3]);
  await end(1);
  assert.deepEqual(started, [1, 2, 3, 4]);
});

test("a task that runs alone waits for all before it, and all after it wait", async () => {
  const { queue, started, begin, end, push } = controlled(3);
  push(1);
  push(2);
  queue.pushAlone(() => begin(100));
  push(3);
  assert.deepEqual(started, [1, 2]);
  await end(1);
  assert.deepEqual(started, [1, 2]);
  await end(2);
  assert.deepEqual(started, [1, 2, 100]);
  push(4);
  assert.deepEqual(started, [1, 2, 100]);
  await end(100);
  assert.deepEqual(started, [1, 2, 100, 3, 4]);
});

test("an alone task that ends at once lets the others go on", () => {
  const { queue, started, push } = controlled(2);
  queue.pushAlone(() => void started.push(100));
  queue.pushAlone(() => void started.push(101));
  push(1);
  push(2);
  assert.deepEqual(started, [100, 101, 1, 2]);
});

test("items that are pushed while an item is served wait for its end", async () => {
  for (const later of [false, true]) {
    const log: string[] = [];
    const queue = new WorkQueue<Item>(1, {
      serve: ({ name }) => {
        log.push(`begin ${name}`);
        if (name === 1) {
          queue.push({ name: 2 });
          queue.pushAlone(() => void log.push("alone"));
          queue.push({ name: 3 });
        }
        if (!later) return void log.push(`end ${name}`);
        return settled().then(() => void log.push(`end ${name}`));
      },
    }, () => {});
    queue.push({ name: 1 });
    await queue.idle();
    const expected = ["begin 1", "end 1", "begin 2", "end 2", "alone", "begin 3", "end 3"];
    assert.deepEqual(log, expected, `later: ${later}`);
  }
});

test("pressure is reported at 64 waiting, and again when 32 are left", async () => {
  const { pressure, end, push } = controlled(1);
  for (let name = 0; name < 64; name++) push(name);
  assert.deepEqual(pressure, []);
  push(64);
  push(65);
  assert.deepEqual(pressure, [true]);
  for (let name = 0; name < 32; name++) await end(name);
  assert.deepEqual(pressure, [true]);
  await end(32);
  assert.deepEqual(pressure, [true, false]);
});

test("pressure is reported over a total size, and again when half of it is left", async () => {
  const { queue, pressure, end, push } = controlled(1, 100);
  // What is at work does not wait.
  push(0, 1_000);
  push(1, 40);
  push(2, 60);
  assert.deepEqual([queue.waiting, queue.size, pressure], [2, 100, []]);
  push(3, 1);
  push(4, 30);
  assert.deepEqual([queue.waiting, queue.size, pressure], [4, 131, [true]]);
  await end(0);
  assert.deepEqual([queue.size, pressure], [91, [true]]);
  await end(1);
  assert.deepEqual([queue.size, pressure], [31, [true, false]]);
  push(5, 70);
  assert.deepEqual(pressure, [true, false, true]);
  queue.clear();
  assert.deepEqual([queue.waiting, queue.size], [0, 0]);
  await end(2);
  assert.deepEqual(pressure, [true, false, true, false]);
});

test("with a mark of 0 nothing may wait without pressure", async () => {
  const { pressure, end, push } = controlled(1, 0);
  push(0, 10);
  assert.deepEqual(pressure, []);
  push(1, 10);
  assert.deepEqual(pressure, [true]);
  await end(0);
  assert.deepEqual(pressure, [true, false]);
});

test("clear drops what waits, not what runs, and ends the pressure", async () => {
  const { queue, started, pressure, end, push } = controlled(1);
  for (let name = 0; name < 100; name++) push(name);
  queue.pushAlone(() => assert.fail("was forgotten"));
  queue.clear();
  let idle = false;
  const waiting = queue.idle().then(() => idle = true);
  await settled();
  assert.equal(idle, false);
  await end(0);
  await waiting;
  assert.deepEqual(started, [0]);
  assert.deepEqual(pressure, [true, false]);
  push(200);
  assert.deepEqual(started, [0, 200]);
  await end(200);
  await queue.idle();
});

test("idle resolves at once where nothing runs, and for all callers", async () => {
  const { queue, end, push } = controlled(1);
  await queue.idle();
  push(1);
  push(2);
  const both = Promise.all([queue.idle(), queue.idle()]);
  await end(1);
  await end(2);
  await both;
});

test("random work: in order, within the concurrency, alone when alone, idle at the end", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seeded(seed);
    const concurrency = 1 + random.below(4);
    const started: number[] = [];
    let atWork = 0;
    let alone = false;
    const work = (name: number, isAlone: boolean): Promise<void> | undefined => {
      started.push(name);
      assert.equal(alone, false, `seed ${seed}: ${name} began beside a task that runs alone`);
      if (isAlone) assert.equal(atWork, 0, `seed ${seed}: ${name} is not alone`);
      atWork++;
      alone = isAlone;
      assert.ok(atWork <= concurrency, `seed ${seed}: ${atWork} at work`);
      const end = (): void => {
        atWork--;
        alone = false;
      };
      if (random.chance(0.3)) return void end();
      const steps = random.below(5);
      return (async () => {
        for (let step = 0; step < steps; step++) await Promise.resolve();
        if (random.chance(0.05)) await settled();
        end();
      })();
    };
    const queue = new WorkQueue<Item>(
      concurrency,
      { serve: ({ name }) => work(name, false) },
      () => {},
    );
    for (let name = 0; name < 400; name++) {
      if (random.chance(0.1)) queue.pushAlone(() => work(name, true));
      else queue.push({ name });
      if (random.chance(0.05)) await Promise.resolve();
      if (random.chance(0.01)) {
        await queue.idle();
        assert.equal(atWork, 0);
        assert.equal(started.length, name + 1);
      }
    }
    await queue.idle();
    assert.equal(atWork, 0);
    assert.deepEqual(started, Array.from({ length: 400 }, (_, name) => name), `seed ${seed}`);
  }
});

test("what waits for a confirmation alone lets the next begin, which answers after it", async () => {
  const started: number[] = [];
  const answered: number[] = [];
  const confirm = new Map<number, () => void>();
  const queue = new WorkQueue<Item>(1, {
    serve({ name }, after) {
      started.push(name);
      // An even one needs no confirmation.
      const { promise, resolve } = Promise.withResolvers<void>();
      if (name % 2 === 0) resolve();
      else confirm.set(name, resolve);
      return placed((async () => {
        await promise;
        await after;
        answered.push(name);
      })());
    },
    needsAll: ({ name }) => name === 10,
  }, () => {});
  for (const name of [1, 2, 3, 10, 4]) queue.push({ name });
  const alone = Promise.withResolvers<void>();
  queue.pushAlone(() => alone.promise);
  queue.push({ name: 6 });
  assert.deepEqual(started, [1, 2, 3]);
  confirm.get(3)?.();
  await settled();
  assert.deepEqual(answered, []);
  assert.equal(queue.isIdle, false);
  confirm.get(1)?.();
  await settled();
  // The one that needs all, and after it the next; what runs alone comes after all of them.
  assert.deepEqual(answered, [1, 2, 3, 10, 4]);
  assert.deepEqual(started, [1, 2, 3, 10, 4]);
  alone.resolve();
  await settled();
  assert.deepEqual(answered, [1, 2, 3, 10, 4, 6]);
  assert.ok(queue.isIdle);
});

test("at most 256 wait for a confirmation alone", async () => {
  let started = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const serve = () => {
    started++;
    return placed(promise.then(() => {}));
  };
  const queue = new WorkQueue<Item>(1, { serve }, () => {});
  for (let name = 0; name < 300; name++) queue.push({ name });
  assert.equal(started, 257);
  resolve();
  await queue.idle();
  assert.equal(started, 300);
});
