/** The built-in connectors keep the rules to which foreign connectors are held. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { Hono } from "hono";
import type { Connector, HandshakeRequest, Peer, SocketSession } from "../../mod.ts";
import { testConnector } from "../../src/testing/mod.ts";
import { ALL_FEATURES } from "../../src/transport/socket.ts";

const module = new URL("../fixtures/connectors/built-in.ts", import.meta.url);

testConnector({
  test,
  module,
  type: "mq",
  config: `connector "c" {
    type   = "mq"
    driver = "memory"
  }`,
  mistakes: [`connector "c" {
    type   = "mq"
    driver = "telegraph"
  }`],
  destination: { to: 'target = "out"' },
  source: {
    operation: "in",
    emit(payload, connector) {
      const request = { operation: undefined, target: "in", options: {}, scope: {} };
      return connector.write?.({ ...request, payload, event: undefined });
    },
  },
});

const folder = mkdtempSync(join(tmpdir(), "weir-connectors-"));
after(() => rmSync(folder, { recursive: true }));
const database = join(folder, "notes.db");
const reader = new DatabaseSync(database);
reader.exec("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
after(() => reader.close());

testConnector({
  test,
  module,
  type: "database",
  config: `connector "c" {
    type     = "database"
    driver   = "sqlite"
    database = ${JSON.stringify(database)}
  }`,
  mistakes: [`connector "c" {
    type   = "database"
    driver = "sqlite"
  }`],
  destination: {
    to: 'target = "notes"',
    received: () =>
      reader.prepare("SELECT text FROM notes ORDER BY id").all().map(({ text }) => ({ text })),
    refused: { payload: { no_such_column: 1 } },
    values: ["", "ä ß 漢字 🙂 العربية\n\t\"'\\", "x".repeat(100_000), null].map((text) => ({
      text,
    })),
  },
});

const applications = new WeakMap<Connector, Hono>();

testConnector({
  test,
  module,
  type: "rest",
  config: `connector "c" {
    type = "rest"
    port = 0
  }`,
  mistakes: [`connector "c" {
    type = "rest"
    port = "http"
  }`],
  source: {
    operation: "POST /in",
    async emit(payload, connector) {
      const app = applications.get(connector) ?? new Hono();
      if (!applications.has(connector)) connector.http?.routes?.(app);
      applications.set(connector, app);
      const headers = { "content-type": "application/json" };
      await app.request("/in", { method: "POST", headers, body: JSON.stringify(payload) });
    },
  },
});

/** The connections of the clients of one connector. */
const clients = new WeakMap<Connector, SocketSession>();

testConnector({
  test,
  module,
  type: "websocket",
  config: `connector "c" {
    type = "websocket"
    port = 0
  }`,
  mistakes: [`connector "c" {
    type = "websocket"
    port = 0
    path = "ws"
  }`],
  destination: { to: 'operation = "broadcast"' },
  source: {
    operation: "message",
    async emit(payload, connector) {
      const session = clients.get(connector) ?? await connect(connector);
      clients.set(connector, session);
      session.message(JSON.stringify({ type: "message", data: payload }));
    },
  },
});

/** Connects a client, without a network. */
async function connect({ http }: Connector): Promise<SocketSession> {
  const request: HandshakeRequest = {
    method: "GET",
    url: new URL("http://localhost/ws"),
    headers: {
      host: "localhost",
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "d2VpciB0ZXN0IGNsaWVudA==",
    },
    remoteAddress: "127.0.0.1",
  };
  const decision = await http?.socket?.accept(request);
  assert.ok(decision?.accepted);
  const { session } = decision;
  const peer: Peer = {
    bufferedAmount: 0,
    send: () => 0,
    close: (code, reason) => session.close(code, reason),
    ping: () => session.pong(),
    terminate: () => session.close(1006, ""),
  };
  session.open(peer, ALL_FEATURES);
  return session;
}
