import assert from "node:assert/strict";
import { test } from "node:test";
import { Flusher, Outbox, type Recipient } from "../../src/connectors/websocket/outbox.ts";
import { Frame } from "../../src/transport/frame.ts";
import type { Batch } from "../../src/transport/socket.ts";
import { seeded } from "../support/random.ts";

const LIMIT = 60;

/** A client in a room, with what it was sent. */
class Member implements Recipient {
  readonly texts: string[] = [];
  batches = 0;
  lost = 0;
  slowCalls = 0;
  failures = 0;
  unsent = 0;
  error: Error | undefined;
  readonly outbox: Outbox;
  readonly #leave: (member: Member) => void;

  /** `leave` is called when it is slow or fails, in the middle of a flush. */
  constructor(flusher: Flusher, leave: (member: Member) => void) {
    this.#leave = leave;
    const send = (batch: Batch): number => {
      if (this.error !== undefined) throw this.error;
      this.batches++;
      this.texts.push(...batch.frames.map(({ text }) => text));
      return this.unsent;
    };
    this.outbox = new Outbox(
      flusher,
      { send, bufferedAmount: 0 },
      LIMIT,
      this,
      (frames) => this.lost += frames,
    );
  }

  slow(): void {
    this.slowCalls++;
    this.#leave(this);
  }

  failed(): void {
    this.failures++;
    this.#leave(this);
  }
}

/** A room of clients, whose ticks the test ends. */
class Room {
  readonly all: Member[] = [];
  readonly group = new Set<Member>();
  readonly #scheduled: (() => void)[] = [];
  readonly #flusher = new Flusher((flush) => this.#scheduled.push(flush));
  readonly #together: boolean;
  /** What the room is sent when a member leaves in the middle of a flush. */
  readonly #farewell: string | undefined;

  /** Without `together` each frame is pushed to each member. */
  constructor(size: number, together = true, farewell?: string) {
    this.#together = together;
    this.#farewell = farewell;
    for (let i = 0; i < size; i++) this.join();
  }

  join(): void {
    const member = new Member(this.#flusher, (one) => {
      this.leave(one);
      if (this.#farewell !== undefined) this.send(this.#farewell);
    });
    this.#flusher.split(this.group);
    this.group.add(member);
    this.all.push(member);
  }

  leave(member: Member): void {
    this.#flusher.split(this.group);
    this.group.delete(member);
  }

  /** Whether the frame waits for the group as a whole. */
  send(text: string): boolean {
    const frame = new Frame(text);
    if (this.#together && this.#flusher.broadcast(frame, this.group, LIMIT)) return true;
    for (const { outbox } of this.group) outbox.push(frame);
    return false;
  }

  get scheduled(): number {
    return this.#scheduled.length;
  }

  tick(): void {
    for (const flush of this.#scheduled.splice(0)) flush();
  }

  /** A flush to many waits one tick. */
  flush(): void {
    this.tick();
    this.tick();
  }
}

test("frames for a large group wait as one, and each member gets one write", () => {
  const room = new Room(64);
  assert.deepEqual(["a", "b", "c"].map((text) => room.send(text)), [true, true, true]);
  assert.equal(room.scheduled, 1);
  assert.ok(room.all.every(({ outbox }) => outbox.pending === undefined));
  room.tick();
  assert.equal(room.all[0].batches, 0, "a flush to many waits one tick");
  room.tick();
  assert.ok(room.all.every(({ texts, batches }) => texts.join("") === "abc" && batches === 1));
  assert.equal(room.scheduled, 0);
});

test("a small group, a queued frame and a frame over the limit are pushed to each member", () => {
  assert.equal(new Room(63).send("a"), false);
  const room = new Room(64);
  room.all[5].outbox.push(new Frame("own"));
  assert.equal(room.send("a"), false);
  room.flush();
  assert.equal(room.all[5].texts.join(), "own,a");
  assert.equal(new Room(64).send("x".repeat(LIMIT)), false);
});

test("a member with a frame of its own gets all frames in order", () => {
  const room = new Room(64);
  room.send("a");
  room.all[3].outbox.push(new Frame("own"));
  assert.equal(room.send("b"), true);
  room.all[4].outbox.flush();
  room.all[5].outbox.close();
  room.flush();
  assert.equal(room.all[3].texts.join(), "a,own,b");
  assert.equal(room.all[3].batches, 1);
  assert.equal(room.all[4].texts.join(), "a,b");
  assert.equal(room.all[5].texts.join(), "a,b");
  assert.equal(room.all[6].texts.join(), "a,b");
});

test("a frame reaches those who were members when it was sent, and no others", () => {
  const room = new Room(64);
  room.send("a");
  room.join();
  room.leave(room.all[0]);
  room.send("b");
  room.flush();
  assert.equal(room.all[0].texts.join(), "a");
  assert.equal(room.all[1].texts.join(), "a,b");
  assert.equal(room.all[64].texts.join(), "b");
});

test("a member that fails or is slow takes no frame from the others", () => {
  const room = new Room(70);
  room.all[0].error = new Error("gone");
  room.all[1].unsent = LIMIT + 1;
  room.all[2].unsent = -1;
  room.send("a");
  room.send("b");
  room.flush();
  assert.deepEqual([room.all[0].failures, room.all[0].lost], [1, 2]);
  assert.deepEqual([room.all[1].slowCalls, room.all[1].lost], [1, 0]);
  assert.deepEqual([room.all[2].slowCalls, room.all[2].lost], [0, 2]);
  assert.ok(room.all.slice(3).every(({ texts }) => texts.join() === "a,b"));
  assert.equal(room.group.size, 68);
});

for (const together of [true, false]) {
  for (const how of ["is slow", "fails"]) {
    const sent = together ? "for the group" : "for each member";
    test(`a room that hears of a member that ${how} in a flush loses no frame ${sent}`, () => {
      const room = new Room(70, together, "left");
      if (how === "fails") room.all[0].error = new Error("gone");
      else room.all[0].unsent = LIMIT + 1;
      for (const { outbox } of room.all) outbox.push(new Frame("own"));
      room.send("chat");
      room.flush();
      room.flush();
      for (const { texts } of room.all.slice(1)) {
        assert.deepEqual([...texts].sort(), ["chat", "left", "own"]);
      }
      assert.ok(room.all.every(({ lost }, index) => index === 0 || lost === 0));
    });
  }
}

test("what each client gets and loses is the same as with a push to each of them", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const found = [true, false].map((together) => play(seed, together));
    assert.deepEqual(found[0], found[1], `seed ${seed}`);
  }
});

/** Random events; returns what each client saw. */
function play(seed: number, together: boolean) {
  const random = seeded(seed);
  const room = new Room(66, together);
  const one = () => random.pick(room.all);
  for (let n = 0; n < 40; n++) {
    const kind = random.below(100) / 100;
    const member = one();
    if (kind < 0.5) room.send(`${n}${"-".repeat(random.below(20))}`);
    else if (kind < 0.6) member.outbox.push(new Frame(`own ${n}`));
    else if (kind < 0.65) member.outbox.flush();
    else if (kind < 0.7) room.join();
    else if (kind < 0.75) room.leave(member);
    else if (kind < 0.8) {
      member.outbox.close();
      room.leave(member);
    } else if (kind < 0.85) {
      member.outbox.discard();
      room.leave(member);
    } else if (kind < 0.9) member.unsent = random.pick([0, -1, LIMIT, LIMIT + 1]);
    else room.flush();
  }
  room.flush();
  return room.all.map(({ texts, lost, slowCalls }) => ({ texts, lost, slowCalls }));
}
