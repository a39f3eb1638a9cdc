/** The entries of "Downstream" about an API that flows call by HTTP. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { readFile } from "node:fs/promises";
import { makeCertificate } from "../../support/certificate.ts";
import { keptPort } from "../../support/ports.ts";
import { Proxy } from "../../support/proxy.ts";
import { type Bench, codeOf, downstream, until } from "../downstream.ts";
import { pingTimes } from "../pings.ts";
import { assertExact } from "./outages.ts";

/** An API that counts what it gets, at a port of its own, behind a proxy. */
class Api {
  readonly asked: string[] = [];
  /** How many of the next requests it hangs up on. */
  hangUps = 0;
  readonly proxy: Proxy;
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #port: number;

  private constructor(port: number, proxy: Proxy) {
    this.#port = port;
    this.proxy = proxy;
  }

  static async make(bench: Bench): Promise<Api> {
    const port = await keptPort();
    const api = new Api(port, await Proxy.open(port));
    bench.onEnd(() => api.close());
    return api;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
  }

  close(): void {
    this.proxy.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #answer({ method, url }: IncomingMessage, response: ServerResponse): void {
    this.asked.push(`${method} ${url}`);
    if (this.hangUps > 0) {
      this.hangUps--;
      response.writeHead(200, { "content-length": "1000" });
      response.write("half");
      this.proxy.cut();
      return;
    }
    response.setHeader("content-type", "application/json");
    response.end('{"n":1}');
  }
}

/** A connector, and flows of clients that call it. */
function config(url: string): string {
  const calling = (operation: string, request: string) => `
    flow "${operation}" {
      timeout = "2s"
      from {
        connector = "ws"
        operation = "${operation}"
      }
      step "asked" {
        connector = "http"
        operation = "${request}"
      }
      response {
        n = "step.asked.n"
      }
    }
  `;
  return `
    connector "http" {
      type     = "http"
      base_url = "${url}"
      timeout  = "1s"
      retry {
        delay    = "100ms"
        attempts = 3
      }
    }
    ${calling("read", "GET /things")}
    ${calling("create", "POST /things")}
  `;
}

/** Registers them. */
export function httpEntries(): void {
  downstream(
    "an API by HTTP away at start → its flows fail, nothing else does, and it works by itself later",
    async (bench) => {
      const api = await Api.make(bench);
      await bench.serve(config(`http://127.0.0.1:${api.proxy.port}`));
      const client = await bench.open();
      assert.equal((await bench.ready()).status, 200);
      assert.equal(codeOf(await client.request({ type: "read" })), "flow_failed");
      assert.equal((await bench.ready()).status, 200);
      await api.listen();
      assert.deepEqual((await client.request({ type: "read" })).data, { n: 1 });
    },
  );

  downstream(
    "an API by HTTP whose answer is cut → a GET is sent again and succeeds, a POST without a key is sent once and its flow fails",
    async (bench) => {
      const api = await Api.make(bench);
      await api.listen();
      await bench.serve(config(`http://127.0.0.1:${api.proxy.port}`));
      const client = await bench.open();
      api.hangUps = 2;
      assert.deepEqual((await client.request({ type: "read" })).data, { n: 1 });
      api.hangUps = 1;
      assert.equal(codeOf(await client.request({ type: "create" })), "flow_failed");
      assert.deepEqual((await client.request({ type: "create" })).data, { n: 1 });
      const asked = [...Array(3).fill("GET /things"), ...Array(2).fill("POST /things")];
      assert.deepEqual(api.asked, asked);
    },
  );

  downstream(
    "an API by HTTP restarted while clients call → only what is in flight fails, no POST without a key is sent twice",
    async (bench) => {
      const api = await Api.make(bench);
      await api.listen();
      await bench.serve(config(`http://127.0.0.1:${api.proxy.port}`));
      const client = await bench.open();
      const codes: unknown[] = [];
      let stopped = false;
      const calling = (async () => {
        while (!stopped) codes.push(codeOf(await client.request({ type: "create" })));
      })();
      const good = () => codes.filter((code) => code === undefined).length;
      await until("calls", () => good() >= 20);
      api.proxy.refuse();
      api.proxy.cut();
      await until("a failure", () => codes.includes("flow_failed"));
      await api.proxy.accept();
      const before = good();
      await until("calls again", () => good() >= before + 20);
      stopped = true;
      await calling;
      const sent = api.asked.length;
      assert.ok(sent >= good() && sent <= codes.length, `${sent} for ${codes.length} calls`);
    },
  );

  downstream(
    "an API by HTTP away while a message's flow calls it → the message is not acked but comes again until the API is back",
    async (bench) => {
      const api = await Api.make(bench);
      await bench.serve(`${config(`http://127.0.0.1:${api.proxy.port}`)}
        connector "queue" {
          type   = "mq"
          driver = "memory"
          queue {
            name = "calls"
          }
          consumer {
            dlq {
              max_retries = 1000
              retry_delay = "100ms"
            }
          }
        }
        flow "ask" {
          from {
            connector = "ws"
            operation = "ask"
          }
          to {
            connector = "queue"
            target    = "calls"
          }
        }
        flow "call" {
          from { connector = "queue" }
          to {
            connector       = "http"
            operation       = "POST /calls"
            idempotency_key = "input.properties.message_id"
          }
        }`);
      const client = await bench.open();
      assert.equal(codeOf(await client.request({ type: "ask", data: { n: 1 } })), undefined);
      await until("a retry", async () => (await bench.counts("queue")).retried > 0);
      assert.equal((await bench.counts("queue")).acked, 0);
      await api.listen();
      await until("the ack", async () => (await bench.counts("queue")).acked === 1);
      assert.deepEqual(api.asked, ["POST /calls"]);
    },
  );

  downstream(
    "an API by HTTP stalled, then every byte 100 ms late → flows fail at the connector's timeout, pings stay exact, what is late is served",
    async (bench) => {
      const api = await Api.make(bench);
      await api.listen();
      await bench.serve(config(`http://127.0.0.1:${api.proxy.port}`));
      const client = await bench.open();
      assert.equal(codeOf(await client.request({ type: "create" })), undefined);
      api.proxy.stall();
      const pings = pingTimes(bench.port, 3);
      const began = performance.now();
      assert.equal(codeOf(await client.request({ type: "create" })), "flow_failed");
      const ms = performance.now() - began;
      assert.ok(ms > 900 && ms < 1_900, `a timeout of 1 s took ${ms} ms`);
      assertExact(await pings);
      api.proxy.resume();
      api.proxy.delay = 100;
      await until("it answers", async () => {
        return codeOf(await client.request({ type: "read" })) === undefined;
      });
    },
  );

  downstream(
    "an API by HTTP whose certificate nobody has signed → its flows fail, named; nothing is sent",
    async (bench) => {
      const { cert, key } = await makeCertificate(bench.folder, "server");
      const port = await keptPort();
      let asked = 0;
      const options = { cert: await readFile(cert), key: await readFile(key) };
      const server = createSecureServer(options, (_request, response) => {
        asked++;
        response.end("{}");
      });
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      bench.onEnd(() => {
        server.closeAllConnections();
        server.close();
      });
      await bench.serve(config(`https://localhost:${port}`));
      const client = await bench.open();
      assert.equal(codeOf(await client.request({ type: "create" })), "flow_failed");
      assert.equal(asked, 0);
      const told = await bench.logged(/certificate/, "error");
      assert.ok(told.length > 0, JSON.stringify(await bench.server.log()));
    },
  );
}
