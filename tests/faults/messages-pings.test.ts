/** Clients that send too many or too large `ping` frames of the protocol. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pause } from "../support/socket-probe.ts";
import { FrameClient, showFrame } from "./client.ts";
import { processFault } from "./stage.ts";

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "echo" {
    from {
      connector = "ws"
      operation = "message"
    }
    response { data = "input.data" }
  }
`;

interface Answer {
  readonly type: string;
  readonly code?: string;
  readonly retry_after_ms?: number;
}

/** Sends a text `count` times. Counts the answers until the server closes the connection. */
async function flood(client: FrameClient, payload: string, count: number) {
  client.send(...Array.from({ length: count }, () => ({ payload })));
  const { frames, ended } = await client.rest();
  assert.ok(ended, "the server has not closed the connection");
  const close = frames.at(-1);
  const answers = frames.slice(0, -1).map((frame) =>
    JSON.parse(frame.payload.toString()) as Answer
  );
  const countOf = (name: string) =>
    answers.filter(({ type, code }) => (code ?? type) === name).length;
  return {
    close: close && showFrame(close),
    pongs: countOf("pong"),
    limited: countOf("rate_limited"),
    invalid: countOf("invalid_message"),
  };
}

processFault(
  'pings (`{"type":"ping"}`) without end, and of 100 KB each → 20 a second are answered, then `rate_limited`; over 256 bytes `invalid_message`; after 100 of them 1008; other clients notice nothing',
  async (stage) => {
    await writeFile(join(stage.folder, "weir.hcl"), CONFIG);
    const { port } = await stage.run([stage.folder]);
    const open = async () => {
      const client = await FrameClient.connect(port);
      await client.open("/ws");
      return client;
    };
    const [witness, page] = [await open(), await open()];

    const floods = Promise.all([
      ...Array.from({ length: 10 }, async () => flood(await open(), '{"type":"ping"}', 20_000)),
      ...Array.from(
        { length: 5 },
        async () => flood(await open(), '{"type":"ping"}'.padEnd(100_000), 200),
      ),
    ]);
    let talking = true;
    const stopped = floods.finally(() => talking = false);
    for (let n = 0; talking || n < 20; n++) {
      witness.say({ type: "message", id: n, data: n });
      assert.deepEqual(await witness.hear(), { type: "ack", id: n, data: { data: n } });
      await pause(5);
    }
    for (const [index, { close, pongs, limited, invalid }] of (await stopped).entries()) {
      assert.equal(close, "close 1008");
      if (index < 10) {
        assert.deepEqual([limited, invalid], [101, 0]);
        assert.ok(pongs >= 20, `${pongs}`);
      } else assert.deepEqual([pongs, limited, invalid], [0, 0, 101]);
    }

    // A client that waits for as long as the error says stays connected.
    page.say(...Array.from({ length: 40 }, () => ({ type: "ping" })));
    let wait = 0;
    for (let n = 0; n < 40; n++) {
      const { type, retry_after_ms: told } = await page.hear() as Answer;
      if (type === "error") wait = told ?? assert.fail("the error does not say when");
    }
    assert.ok(wait > 0);
    await pause(wait + 2);
    page.say({ type: "ping", id: "later" });
    assert.deepEqual(await page.hear(), { type: "pong", id: "later" });
    witness.destroy();
    page.destroy();
  },
);
