/** Streams of events from the outside: curl, and the workers of a service. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { type Stage, stageTest, type Weir } from "../support/process.ts";
import { handshakeText, SocketClient } from "../support/socket-client.ts";
import { until } from "../support/socket-probe.ts";
import { StreamClient } from "../support/stream-client.ts";

const CONFIG = `
connector "ws" {
  type            = "websocket"
  port            = 0
  sse             = "/events"
  max_connections = 7
  room "news" {
  }
  room "kept" {
    history {
    }
  }
}
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.to"
    transform {
      text = "input.text"
    }
  }
}
`;

async function start(stage: Stage, ...args: string[]): Promise<Weir> {
  await writeFile(join(stage.folder, "sse.hcl"), CONFIG);
  return await stage.run(["sse.hcl", ...args]);
}

async function speaker(port: number): Promise<SocketClient> {
  const client = await SocketClient.connect(port);
  client.write(handshakeText("/ws"));
  await client.upgraded();
  return client;
}

const say = (text: string, to = "news") => ({ type: "message", data: { to, text }, id: 1 });

stageTest("curl reads a stream, and sees why it ends", async (stage) => {
  const weir = await start(stage);
  const url = `http://127.0.0.1:${weir.port}/events?room=news`;
  assert.ok(weir.addresses.some((address) => address.endsWith(`:${weir.port}/events`)));
  const curl = stage.command("curl", ["-sSN", url]);
  await curl.says(/^:\n\n/m);
  const client = await speaker(weir.port);
  assert.equal((await client.ask(say("hello"))).type, "ack");
  await curl.says(/^data: \{"type":"message","data":\{"text":"hello"\},"room":"news"\}\n\n/m);
  const refused = stage.command("curl", ["-sS", "-H", "Accept: text/html", url]);
  assert.equal((await refused.ended()).code, 0);
  assert.match(refused.output, /^\{"error":\{"code":"not_acceptable"/);
  weir.signal("SIGTERM");
  assert.equal((await curl.ended()).code, 0, curl.output);
  assert.match(curl.output, /\nretry: \d+\nevent: close\ndata: \{"code":1001,.*\}\n\n$/);
  assert.equal((await weir.ended()).code, 0, weir.output);
  stage.assertSound();
});

stageTest("curl resumes with the id of its last event", async (stage) => {
  const weir = await start(stage);
  const url = `http://127.0.0.1:${weir.port}/events?room=kept`;
  const first = stage.command("curl", ["-sSN", url]);
  await first.says(/^:\n\n/m);
  const client = await speaker(weir.port);
  const tell = (text: string) => client.ask(say(text, "kept"));
  await tell("one");
  await first.says(/"one"/);
  const [, id] = /^id: (kept:[^:]+:1)$/m.exec(first.output) ?? [];
  first.signal("SIGINT");
  await first.ended();
  for (const text of ["two", "three"]) await tell(text);
  const second = stage.command("curl", ["-sSN", "-H", `Last-Event-ID: ${id}`, url]);
  await second.says(/"three"/);
  await tell("four");
  await second.says(/"four"/);
  const texts = [...second.output.matchAll(/"text":"(\w+)"/g)].map(([, text]) => text);
  assert.deepEqual(texts, ["two", "three", "four"]);
  weir.signal("SIGTERM");
  assert.equal((await second.ended()).code, 0, second.output);
  assert.equal((await weir.ended()).code, 0, weir.output);
  stage.assertSound();
});

if (process.platform === "linux") {
  stageTest("streams of all workers get what any of them sends, and share slots", async (stage) => {
    const weir = await start(stage, "--workers", "2");
    const open = async (): Promise<StreamClient> => {
      const client = await StreamClient.send(weir.port, "/events?room=news");
      return await client.head();
    };
    const streams: StreamClient[] = [];
    for (let n = 0; n < 6; n++) streams.push(await open());
    assert.deepEqual(streams.map(({ status }) => status), Array(6).fill(200));
    const client = await speaker(weir.port);
    // The seventh slot is that of the speaker, wherever each of them is.
    assert.equal((await open()).status, 503);
    for (let n = 0; n < 20; n++) {
      assert.equal((await client.ask(say(`${n}`))).type, "ack");
      for (const stream of streams) {
        const expected = { type: "message", data: { text: `${n}` }, room: "news" };
        assert.deepEqual(await stream.hear(), expected);
      }
    }
    streams.pop()?.destroy();
    await until("a free slot", async () => {
      const again = await open();
      if (again.status === 200) streams.push(again);
      return again.status === 200;
    });
    weir.signal("SIGTERM");
    for (const stream of streams) assert.equal((await stream.ending()).code, 1001);
    assert.equal((await weir.ended()).code, 0, weir.output);
    stage.assertSound();
  });
} else {
  test.skip("streams of all workers get what any of them sends, and share slots (Linux only)");
}
