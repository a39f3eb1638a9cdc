/**
 * What a flow costs: server CPU time a message of one that filters, validates, transforms five
 * fields and answers, against a plain echo flow of the same server in the same run. `deno run -A
 * bench/flow.ts [ROUNDS]`.
 */
import { type Tool, toolchain } from "../tests/support/toolchain.ts";
import { compileLoad, runEcho } from "./load.ts";
import { pin } from "./pinning.ts";
import { Server, type ServerSpec } from "./servers.ts";
import { summarize } from "./statistics.ts";

/** Medians for one runtime. */
export interface FlowCost {
  readonly runtime: Tool;
  /** Microseconds of server CPU a message of the echo flow. */
  readonly echo: number;
  /** The same of the whole flow. */
  readonly full: number;
  /** The median of the rounds' ratios. */
  readonly ratio: number;
}

const ORDER = JSON.stringify({
  type: "message",
  id: 1,
  data: { id: 4711, customer: " Ada Lovelace ", quantity: 3, price: 9.5 },
});

const load = { clients: 50, messages: 30_000, window: 8 };

const servers: readonly ServerSpec[] = [
  server("node", ["src/node.ts"]),
  server("deno", ["run", "-A", "src/deno.ts"]),
  server("bun", ["--no-env-file", "src/bun.ts"]),
];

/** Measures both flows in turns on each runtime, after one round to warm up. */
export async function measureFlows(rounds: number): Promise<FlowCost[]> {
  await compileLoad();
  const pinning = await pin();
  const tools = await toolchain();
  const costs: FlowCost[] = [];
  for (const spec of servers) {
    await using running = await Server.start(spec, tools, pinning);
    for (const path of ["/echo", "/full"]) await requireAnswer(running.port, path);
    const measure = (path: string) => runEcho({ ...load, path, frame: ORDER }, running);
    const echo: number[] = [];
    const full: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      const [one, other] = [await measure("/echo"), await measure("/full")];
      if (round === 0) continue;
      echo.push(one);
      full.push(other);
    }
    costs.push({
      runtime: spec.runtime,
      echo: summarize(echo).median,
      full: summarize(full).median,
      ratio: summarize(full.map((time, round) => time / echo[round])).median,
    });
  }
  return costs;
}

/** An error would be an answer, too: for the load generator, but not for this. */
async function requireAnswer(port: number, path: string): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
  const answer = await new Promise<string>((resolve, reject) => {
    socket.onopen = () => socket.send(ORDER);
    socket.onmessage = ({ data }) => resolve(String(data));
    socket.onerror = () => reject(new Error(`${path} cannot be reached`));
  });
  socket.close();
  const { type, data } = JSON.parse(answer);
  if (type !== "ack" || Object.keys(data).length === 0) throw new Error(`${path}: ${answer}`);
}

function server(runtime: Tool, command: readonly string[]): ServerSpec {
  return {
    name: `weir-${runtime}`,
    runtime,
    baseline: false,
    args: [...command, "run", "bench/flow"],
  };
}

if (import.meta.main) {
  const rounds = Number(Deno.args[0] ?? 5);
  console.log(
    "| runtime | echo flow, µs CPU a message | filter, validate, transform, response | ratio |",
  );
  console.log("| --- | ---: | ---: | ---: |");
  for (const { runtime, echo, full, ratio } of await measureFlows(rounds)) {
    console.log(`| ${runtime} | ${echo.toFixed(2)} | ${full.toFixed(2)} | ${ratio.toFixed(2)} |`);
  }
}
