/** What a refused client that offers `weir.1` is told, how many are told, and for how long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FlowError } from "../../src/base/errors.ts";
import { handshakeRefusal } from "../../src/connectors/websocket/closing.ts";
import { MAX_REFUSED, RefusedClients } from "../../src/connectors/websocket/refused/mod.ts";
import { noticeOf } from "../../src/connectors/websocket/refused/notice.ts";
import {
  FIRST_MESSAGE,
  PATIENCE,
  QUIET,
  UNSEEN_END,
} from "../../src/connectors/websocket/refused/session.ts";
import { refuse } from "../../src/transport/handshake.ts";
import {
  ALL_FEATURES,
  type Batch,
  type HandshakeAcceptance,
  type HandshakeRefusal,
  type Peer,
} from "../../src/transport/socket.ts";
import { STANDARD_FEATURES } from "../../src/transport/standard.ts";
import { ManualClock, settle } from "../support/clock.ts";

/** What a client gets: the frame, the close code and its reason. */
function told(refusal: HandshakeRefusal): unknown[] {
  const { frame, closeCode, reason } = noticeOf(refusal);
  return [JSON.parse(frame.text), closeCode, reason];
}

/** The refusal by a flow whose event has failed so. */
function ofFlow(code: string, more: Partial<FlowError> = {}): HandshakeRefusal {
  return handshakeRefusal(Object.assign(new FlowError("door", code, { message: "no" }), more));
}

const error = (code: string, more: object = {}) => ({
  type: "error",
  message: "no",
  code,
  ...more,
});

test("refused: each refusal has its code and close code", () => {
  const later = { retry_after_ms: 1_000 };
  const violations = [{ path: "color", message: "must be red" }];
  const cases: readonly [HandshakeRefusal, object, number][] = [
    [refuse(401, "no", { "www-authenticate": "Bearer" }), error("unauthorized"), 4401],
    [refuse(403, "no"), error("rejected"), 4403],
    [refuse(400, "no"), error("invalid_message"), 4403],
    [refuse(500, "no"), error("flow_failed"), 4503],
    [refuse(503, "no"), error("unavailable", later), 4503],
    [
      refuse(503, "no", { "retry-after": "7" }),
      error("unavailable", { retry_after_ms: 7_000 }),
      4503,
    ],
    [ofFlow("rejected"), error("rejected"), 4403],
    [ofFlow("flow_failed"), error("flow_failed"), 4503],
    [ofFlow("timeout"), error("timeout", later), 4503],
    [
      ofFlow("validation_failed", { details: violations }),
      error("validation_failed", { details: violations }),
      4403,
    ],
    // The code decides, and not the status.
    [ofFlow("no_member", { status: 503 }), error("no_member"), 4403],
    [ofFlow("no_member", { status: 401 }), error("no_member"), 4403],
    [ofFlow("constructor", { status: 404 }), error("constructor"), 4403],
    [
      ofFlow("rejected", { answer: { status: 503, body: { message: "no", why: "full" } } }),
      error("rejected", { details: { message: "no", why: "full" } }),
      4403,
    ],
  ];
  for (const [refusal, frame, close] of cases) {
    const { code } = frame as { code: string };
    assert.deepEqual(told(refusal), [frame, close, code]);
  }
});

test("refused: what is too large or cannot be JSON is left out of the frame", () => {
  const large = { ...refuse(403, "no"), details: { text: "x".repeat(70_000) } };
  assert.deepEqual(told(large), [error("rejected"), 4403, "rejected"]);
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  for (const details of [cyclic, { count: 1n }]) {
    assert.deepEqual(told({ ...refuse(403, "no"), details }), [
      error("rejected"),
      4403,
      "rejected",
    ]);
  }
  const { frame } = noticeOf(refuse(403, "é".repeat(70_000)));
  assert.equal(JSON.parse(frame.text).message, `${"é".repeat(1_000)}…`);
  const fits = { ...refuse(403, "no"), details: { text: "x".repeat(60_000) } };
  assert.deepEqual(told(fits)[0], error("rejected", { details: fits.details }));
});

const FULL = refuse(503, "no");

/** Remembers what is done to it. */
class RecordingPeer implements Peer {
  readonly done: string[] = [];
  readonly bufferedAmount = 0;
  /** What happens within `close`. */
  onClose = (): void => {};
  terminate?: () => void = () => void this.done.push("terminate");

  send({ frames }: Batch): number {
    this.done.push(...frames.map(({ text }) => JSON.parse(text).code));
    return 0;
  }

  close(code: number, reason: string, patience: number): void {
    this.done.push(`${code} ${reason} ${patience}`);
    this.onClose();
  }
}

const TOLD = ["unavailable", `4503 unavailable ${PATIENCE}`];

function upgraded(clients: RefusedClients, protocols = ["weir.1"]): HandshakeAcceptance {
  const answer = clients.answer(FULL, protocols);
  assert.ok(answer.accepted);
  return answer;
}

/** Fills all places but for those that are taken, and says how many that were. */
function places(clients: RefusedClients): number {
  const sessions = [];
  for (;;) {
    const answer = clients.answer(FULL, ["weir.1"]);
    if (!answer.accepted) break;
    sessions.push(answer.session);
  }
  for (const session of sessions) session.abandon();
  return sessions.length;
}

test("refused: only a client that offers weir.1 is upgraded, and gets just that", () => {
  const clients = new RefusedClients(new ManualClock());
  for (const protocols of [[], ["weir"], ["WEIR.1"], ["weir.10", "weir"], ["weir.1.eyJ"]]) {
    assert.equal(clients.answer(FULL, protocols), FULL);
  }
  for (const protocols of [["weir.1"], ["weir.1", "eyJ.x.y"], ["eyJ.x.y", "other", "weir.1"]]) {
    const { protocol, refusal } = upgraded(clients, protocols);
    assert.deepEqual([protocol, refusal], ["weir.1", FULL]);
  }
});

test("refused: it is told, and destroyed where it does not answer in two seconds", async () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const { session } = upgraded(clients);
  const peer = new RecordingPeer();
  session.open(peer, ALL_FEATURES);
  // Whatever it says, nothing comes of it.
  session.message('{"type":"ping","id":1}');
  session.message("[");
  session.binary();
  session.ping(new Uint8Array(2));
  session.pong();
  session.flush();
  session.closing();
  await clock.advance(PATIENCE - 1);
  assert.deepEqual(peer.done, TOLD);
  await clock.advance(1);
  assert.deepEqual(peer.done, [...TOLD, "terminate"]);
  assert.equal(places(clients), MAX_REFUSED - 1);
  session.close(1006, "");
  assert.equal(places(clients), MAX_REFUSED);
  assert.equal(clock.waiting, 0);
});

test("refused: one that answers leaves no timer and no place taken", () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const { session } = upgraded(clients);
  session.open(new RecordingPeer(), ALL_FEATURES);
  assert.equal(places(clients), MAX_REFUSED - 1);
  session.close(4503, "");
  assert.deepEqual([places(clients), clock.waiting], [MAX_REFUSED, 0]);
});

test("refused: where the end is not seen, it is counted for five seconds", async () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const { session } = upgraded(clients);
  const peer = new RecordingPeer();
  peer.onClose = () => session.close(4503, "unavailable");
  session.open(peer, ALL_FEATURES);
  await clients.settled();
  await clock.advance(UNSEEN_END - 1);
  assert.equal(places(clients), MAX_REFUSED - 1);
  await clock.advance(1);
  assert.deepEqual([places(clients), clock.waiting], [MAX_REFUSED, 0]);
  assert.deepEqual(peer.done, TOLD);
});

test("refused: one that cannot be destroyed is counted until it has left", async () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const { session } = upgraded(clients);
  const peer = new RecordingPeer();
  delete peer.terminate;
  session.open(peer, ALL_FEATURES);
  const settled = clients.settled();
  await clock.advance(PATIENCE);
  await settled;
  assert.deepEqual([places(clients), clock.waiting], [MAX_REFUSED - 1, 0]);
  session.close(1006, "");
  assert.equal(places(clients), MAX_REFUSED);
});

test("refused: where a late message would reset it, the close waits until nothing comes", async () => {
  const open = () => {
    const clock = new ManualClock();
    const clients = new RefusedClients(clock);
    const { session } = upgraded(clients);
    const peer = new RecordingPeer();
    delete peer.terminate;
    session.open(peer, STANDARD_FEATURES);
    return { clock, clients, session, peer };
  };
  // One that says nothing.
  const silent = open();
  await silent.clock.advance(FIRST_MESSAGE - 1);
  assert.deepEqual(silent.peer.done, TOLD.slice(0, 1));
  await silent.clock.advance(1);
  assert.deepEqual(silent.peer.done, TOLD);
  silent.session.message("late");
  await silent.clock.advance(PATIENCE);
  assert.deepEqual(silent.peer.done, TOLD);

  // One that asks for a sign of life at once.
  const lively = open();
  lively.session.message("{}");
  await lively.clock.advance(QUIET - 1);
  lively.session.binary();
  await lively.clock.advance(QUIET - 1);
  assert.deepEqual(lively.peer.done, TOLD.slice(0, 1));
  await lively.clock.advance(1);
  assert.deepEqual(lively.peer.done, TOLD);
  await lively.clock.advance(PATIENCE);

  // One that never stops.
  const noisy = open();
  for (let time = 0; time < PATIENCE; time += QUIET / 2) {
    noisy.session.message("{}");
    await noisy.clock.advance(QUIET / 2);
  }
  assert.deepEqual(noisy.peer.done, TOLD);

  // One that leaves, and one that is there at the end of the connector.
  const gone = open();
  gone.session.close(1006, "");
  const last = open();
  last.clients.close();
  await gone.clock.advance(PATIENCE);
  assert.deepEqual([gone.peer.done, last.peer.done], [TOLD.slice(0, 1), TOLD]);
  for (const { clock } of [silent, lively, noisy, gone, last]) assert.equal(clock.waiting, 0);
});

test("refused: an upgrade that fails frees its place; one that succeeds late is told", async () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const { session } = upgraded(clients);
  session.abandon();
  assert.deepEqual([places(clients), clock.waiting], [MAX_REFUSED, 0]);
  const peer = new RecordingPeer();
  session.open(peer, ALL_FEATURES);
  assert.equal(places(clients), MAX_REFUSED - 1);
  await clock.advance(PATIENCE);
  assert.deepEqual(peer.done, [...TOLD, "terminate"]);
  session.close(1006, "");
  assert.equal(places(clients), MAX_REFUSED);
});

test("refused: an upgrade of which nothing is heard keeps its place: its socket may be left", async () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const { session } = upgraded(clients);
  await clock.advance(PATIENCE);
  session.abandon();
  assert.deepEqual([places(clients), clock.waiting], [MAX_REFUSED - 1, 0]);
});

test("refused: a socket that throws is destroyed", () => {
  const clients = new RefusedClients(new ManualClock());
  const { session } = upgraded(clients);
  const peer = new RecordingPeer();
  peer.send = () => {
    throw new Error("broken");
  };
  session.open(peer, ALL_FEATURES);
  assert.deepEqual(peer.done, ["terminate"]);
  const other = upgraded(clients).session;
  const worse = new RecordingPeer();
  worse.terminate = worse.onClose = () => {
    throw new Error("broken");
  };
  other.open(worse, ALL_FEATURES);
  session.close(1006, "");
  assert.equal(places(clients), MAX_REFUSED);
});

test("refused: the shutdown waits two seconds for them at most, then ends them", async () => {
  const clock = new ManualClock();
  const clients = new RefusedClients(clock);
  const [answering, silent, opening] = Array.from({ length: 3 }, () => upgraded(clients).session);
  const peer = new RecordingPeer();
  answering.open(new RecordingPeer(), ALL_FEATURES);
  silent.open(peer, ALL_FEATURES);
  let over = false;
  const settled = clients.settled().then(() => over = true);
  answering.close(4503, "");
  await clock.advance(PATIENCE - 1);
  assert.equal(over, false);
  await clock.advance(1);
  await settled;
  opening.abandon();
  const [late, again] = [new RecordingPeer(), new RecordingPeer()];
  upgraded(clients).session.open(late, ALL_FEATURES);
  clients.close();
  assert.deepEqual(late.done, [...TOLD, "terminate"]);
  await settle();
  assert.deepEqual([places(clients), clock.waiting], [MAX_REFUSED, 0]);
  // An embedding server may ask after that.
  upgraded(clients).session.open(again, ALL_FEATURES);
  assert.deepEqual(again.done, TOLD);
});
