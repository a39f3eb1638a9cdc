/** `weir health`, beside a server. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeCertificate } from "../support/certificate.ts";
import { freePort } from "../support/ports.ts";
import { stageTest } from "../support/process.ts";
import { runInSession } from "../support/weir-session.ts";

stageTest("health: 0 while every connector can serve, else 1 and the reason", async (stage) => {
  await writeFile(
    join(stage.folder, "live.hcl"),
    'connector "api" {\n type = "rest"\n port = 0\n}',
  );
  await mkdir(join(stage.folder, "away"));
  const broker = `amqp://127.0.0.1:${await freePort()}`;
  const away = `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    connector "rabbit" {
      type   = "mq"
      driver = "rabbitmq"
      url    = "${broker}"
    }
    flow "event" {
      from {
        connector = "rabbit"
        operation = "a.b"
      }
      to {
        connector = "ws"
        operation = "broadcast"
      }
    }
  `;
  await writeFile(join(stage.folder, "away/away.hcl"), away);
  // A check of this machine must not go through a proxy.
  const proxy = "http://127.0.0.1:9";
  const env = { HTTP_PROXY: proxy, http_proxy: proxy, ALL_PROXY: proxy };
  // The variables of a proxy are those that a process begins with.
  const alone = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await stage.weir(["health", ...args], { env });
    return { code, stdout, stderr };
  };
  const health = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await runInSession(stage, ["health", ...args]);
    return { code, stdout, stderr };
  };
  const weir = await stage.run(["live.hcl"]);
  const at = `http://localhost:${weir.port}`;
  const ready = `${at}/health/ready`;
  assert.deepEqual(await alone(at), { code: 0, stdout: `ready: ${ready}\n`, stderr: "" });
  const waiting = await stage.run(["away"]);
  const other = `http://localhost:${waiting.port}`;
  assert.deepEqual(await alone(other, "--timeout", "10s"), {
    code: 1,
    stdout: "",
    stderr: `error[not-ready]: ${other}/health/ready: connector "rabbit" cannot serve; ` +
      "the log of the server says why\n",
  });
  const live = `${other}/health/live`;
  assert.deepEqual(await health(live), { code: 0, stdout: `ready: ${live}\n`, stderr: "" });
  stage.assertSound();

  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0, weir.output);
  assert.deepEqual(await health(at), {
    code: 1,
    stdout: "",
    stderr: `error[not-ready]: ${ready}: nothing listens on this port\n`,
  });
  const usage = await health("localhost:3000");
  assert.deepEqual([usage.code, usage.stdout], [2, ""]);
  assert.match(usage.stderr, /^error\[usage-error\]: health needs an http or https URL .+\n$/);
});

stageTest("health: a certificate counts, unless the host is this machine", async (stage) => {
  const config = `
    connector "ws" {
      type = "websocket"
      port = 0
      tls {
        cert = "./cert.pem"
        key  = "./cert.key"
      }
    }
  `;
  await writeFile(join(stage.folder, "live.hcl"), config);
  await makeCertificate(stage.folder, "cert");
  const { port } = await stage.run(["."]);
  for (const host of ["localhost", "127.0.0.1"]) {
    const { code, stdout, stderr } = await runInSession(stage, [
      "health",
      `https://${host}:${port}`,
    ]);
    const expected = `ready: https://${host}:${port}/health/ready\n`;
    assert.deepEqual([code, stdout, stderr], [0, expected, ""]);
  }
  // It leads to this machine, too, and no certificate names it.
  const foreign = await runInSession(stage, ["health", `https://127.0.0.2:${port}`]);
  assert.equal(foreign.code, 1);
  assert.match(foreign.stderr, /^error\[not-ready\]: .+: the request failed: .*self.signed.*\n$/);
  const plain = await runInSession(stage, ["health", `http://localhost:${port}`]);
  assert.equal(plain.code, 1);
  assert.match(plain.stderr, /^error\[not-ready\]: .+: the request failed: \S.+\n$/);
});
