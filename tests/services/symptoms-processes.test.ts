/** What tells an operator of faults of the processes of a service. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { processes } from "../../docs/monitoring/faults.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { runtime as tool } from "../faults/stage.ts";
import { adminPortOf } from "../support/admin.ts";
import { openStage, type Weir } from "../support/process.ts";
import { pause, until } from "../support/socket-probe.ts";
import { type Bench, type Cause, type LogLine, symptomTests } from "../support/symptoms.ts";
import { childrenOf } from "../support/workers.ts";
import { Sink } from "./metrics-support.ts";

/** A flow "work" that writes to a connector. */
const work = (type: string) => `
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  connector "sink" {
    type = "${type}"
  }
  flow "work" {
    from {
      connector = "events"
      operation = "work"
    }
    to {
      connector = "sink"
    }
  }
`;

/** A plugin that computes, and lets nothing else run meanwhile. */
const busy = defineConnector({
  fields: {},
  destination: { fields: {} },
  create: () => ({
    write() {
      for (const end = performance.now() + 500; performance.now() < end;);
    },
  }),
});

/** What a process has logged. */
function linesOf({ stderr }: Weir): readonly LogLine[] {
  return stderr.split("\n").filter((line) => line.startsWith("{")).map((line) => {
    const { level, logger, message } = JSON.parse(line);
    return { level: level.toLowerCase(), from: logger, text: message };
  });
}

/** A service of two workers. */
function workers(act: (bench: Bench, weir: Weir) => Promise<void>): Cause {
  return {
    async play(bench) {
      const stage = await openStage(tool);
      bench.onEnd(() => stage.end());
      const file = join(stage.folder, "service.hcl");
      await writeFile(
        file,
        'service {\n admin_port = 0\n}\nconnector "ws" {\n type = "websocket"\n port = 0\n}\n',
      );
      const weir = await stage.run([file, "--workers", "2", "--log-format", "json"]);
      bench.watch({
        adminPort: await adminPortOf(weir),
        get log() {
          return linesOf(weir);
        },
      });
      await act(bench, weir);
    },
  };
}

/** Some of the workers are killed again and again, until the test has seen it. */
const dying = (count: number) =>
  workers(async (bench, { pid }) => {
    const alive = new Set((await childrenOf(pid)).slice(count));
    const kill = async () => {
      for (const child of await childrenOf(pid)) {
        if (!alive.has(child)) process.kill(child, "SIGKILL");
      }
    };
    let killing = true;
    const killed = (async () => {
      for (; killing; await pause(100)) await kill();
    })();
    await bench.happens(() => {});
    killing = false;
    await killed;
    await bench.ends(() => {});
  });

await symptomTests(processes, {
  "something computes for long": {
    async play(bench) {
      const { runtime } = await bench.serve(work("busy"), { busy });
      await bench.happens(() => runtime.publish("work", {}));
    },
  },
  "a worker dies": dying(1),
  "all workers die": dying(2),
  "the service shuts down, and a flow still runs": {
    async play(bench) {
      const sink = new Sink();
      const service = await bench.serve(work("sink"), sink.connectors);
      await service.runtime.publish("work", { do: "hold" });
      await until("its flow", () => sink.held > 0);
      let closing: Promise<void> | undefined;
      await bench.happens(() => void (closing = service.close()));
      sink.release();
      await closing;
    },
  },
});
