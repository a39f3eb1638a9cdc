/** The command on a port that speaks TLS: what it says when it is ready, and why it does not start. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { makeCertificate, secureGet } from "../support/certificate.ts";
import { until } from "../support/mq.ts";
import { stageTest } from "../support/process.ts";
import { childrenOf, listenersOn } from "../support/workers.ts";

const config = `
  connector "live" {
    type = "websocket"
    port = 0
    tls {
      cert = "./cert.pem"
      key  = env("KEY_FILE", "./cert.key")
    }
  }
  connector "api" {
    type = "rest"
    port = 0
  }
`;

stageTest("the ready line names wss and https, which are served there", async (stage) => {
  // Beside the configuration, and not in the working directory.
  const folder = join(stage.folder, "live");
  await mkdir(folder);
  await writeFile(join(folder, "live.hcl"), config);
  const certificate = await makeCertificate(folder, "cert");
  const weir = await stage.run(["live"]);
  const at = `localhost:${weir.port}`;
  assert.deepEqual(weir.addresses, [`wss://${at}/ws`, `https://${at}`]);
  assert.equal((await secureGet(weir.port, "/health/live", certificate)).status, 200);
  weir.signal("SIGTERM");
  assert.equal((await weir.ended()).code, 0);
});

stageTest("a certificate that cannot be used ends the start with 3", async (stage) => {
  await writeFile(join(stage.folder, "live.hcl"), config);
  const run = async (env: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await stage.weir(["run", "."], { env });
    return { code, stdout, stderr: stderr.replaceAll(`${stage.folder}/`, "") };
  };
  const failed = (message: string) => ({
    code: 3,
    stdout: "",
    stderr: `error[invalid-certificate]: connector "live": tls ${message}\n`,
  });
  assert.deepEqual(await run(), failed("cert: cert.pem cannot be read: there is no such file"));
  await makeCertificate(stage.folder, "cert");
  await makeCertificate(stage.folder, "other");
  const message = "key: other.key does not match the certificate in cert.pem";
  assert.deepEqual(await run({ KEY_FILE: "other.key" }), failed(message));
});

stageTest(
  "a worker that takes another one's place has the certificate of the start",
  async (stage) => {
    await writeFile(join(stage.folder, "live.hcl"), config);
    const certificate = await makeCertificate(stage.folder, "cert");
    const weir = await stage.run(["live.hcl", "--workers", "2"]);
    // Renewed: clients that trust the old one alone see which it is.
    await makeCertificate(stage.folder, "cert");
    const [victim, other] = await childrenOf(weir.pid);
    process.kill(victim, "SIGKILL");
    await until("its end", () => weir.stderr.includes("ended (signal SIGKILL)"));
    await until("the next one listens", async () => {
      const next = (await childrenOf(weir.pid)).find((pid) => pid !== other);
      return next !== undefined && (await listenersOn(next, weir.port)) > 0;
    });
    for (let time = 0; time < 20; time++) {
      assert.equal((await secureGet(weir.port, "/health/live", certificate)).status, 200);
    }
    assert.doesNotMatch(weir.stderr, /failed to start/);
    weir.signal("SIGTERM");
    assert.equal((await weir.ended()).code, 0);
  },
);
