/** A runtime with metrics, and a Prometheus that scrapes it. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { ConnectorError } from "../../src/base/errors.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { reply, withApi } from "./http-api.ts";
import { readMonitoring } from "./monitoring.ts";
import { withServer } from "./own-server.ts";
import { PrometheusServer } from "./prometheus.ts";
import { hosts, type RunningHost } from "./socket-hosts.ts";

const TOKEN = "a token of the operator";

/** A connector of a plugin that can take nothing. */
const connectors = {
  own: defineConnector({
    destination: { fields: {} },
    fields: {},
    create: () => ({
      counts: () => ({ things: 3 }),
      write: () => {
        throw new ConnectorError("own", "it is full", { permanent: true });
      },
    }),
  }),
};

/** A connector of each kind that needs no server, and flows between them. */
const config = (api: string) => `
  connector "ws" {
    type = "websocket"
    port = 0
    room "*" {
      presence {
      }
      history {
        size = 4
        ttl  = "1h"
      }
    }
  }
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
  connector "api" {
    type     = "http"
    base_url = "${api}"
  }
  connector "own" {
    type = "own"
  }
  flow "join" {
    from {
      connector = "ws"
      operation = "join_room"
    }
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    step "one" {
      connector = "db"
      query     = "select 1 as one"
    }
    to {
      connector = "api"
      operation = "POST /said"
    }
    to {
      connector = "events"
      target    = "said"
    }
  }
  flow "keep" {
    from {
      connector = "events"
      operation = "said"
    }
    to {
      connector = "db"
      query     = "create table if not exists kept (n int)"
    }
    to {
      connector = "ws"
      operation = "broadcast"
    }
  }
  flow "fail" {
    from {
      connector = "ws"
      operation = "fail"
    }
    to {
      connector = "own"
    }
  }
`;

/** Calls `look` with a runtime with metrics. */
export async function withRuntime(look: (running: RunningHost) => Promise<void>): Promise<void> {
  await withApi(() => reply(200, {}), async (api) => {
    const running = await hosts[0].start(config(api.url), { connectors, metrics: true });
    try {
      await look(running);
    } finally {
      await running.close();
    }
  });
}

/** Calls `look` with a Prometheus that scrapes the runtime as prometheus.yml says. */
export async function withPrometheus(
  { runtime }: RunningHost,
  look: (prometheus: PrometheusServer) => Promise<void>,
): Promise<void> {
  const server = createServer(async ({ url, headers: { authorization } }, response) => {
    const allowed = url === "/metrics" && authorization === `Bearer ${TOKEN}`;
    response.statusCode = allowed ? 200 : 401;
    response.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    response.end(allowed ? await runtime.metrics() : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  let settings = await readMonitoring("prometheus.yml");
  for (const [word, other] of [["127.0.0.1:9090", `127.0.0.1:${port}`], [": 15s", ": 500ms"]]) {
    assert.ok(settings.includes(word), word);
    settings = settings.replaceAll(word, other);
  }
  try {
    const files = {
      "prometheus.yml": settings,
      "alerts.yml": await readMonitoring("alerts.yml"),
      "weir-admin-token": TOKEN,
    };
    await withServer(PrometheusServer.open(files), look);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
