/** `deno task bench`: Weir's fan-out beside what people use without it. `--help` names the options. */
import { toolchain } from "../tests/support/toolchain.ts";
import { Checker } from "./checker.ts";
import { environment } from "./environment.ts";
import { compileLoad, type Load, type Measurement, runLoad } from "./load.ts";
import { type Options, parseOptions, usage } from "./options.ts";
import { pin, type Pinning } from "./pinning.ts";
import { report, type Result } from "./report.ts";
import { Server } from "./servers.ts";

/** Starts the servers, warms them up and measures them in turn, round after round. */
async function measure(options: Options, pinning: Pinning): Promise<Result[]> {
  const { rounds, messages, clients } = options;
  await using stack = new AsyncDisposableStack();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void stack.disposeAsync().finally(() => Deno.exit(130)));
  }
  const tools = await toolchain();
  const running: Server[] = [];
  for (const spec of options.servers) {
    running.push(stack.use(await Server.start(spec, tools, pinning)));
  }
  const results = options.scenarios.flatMap(({ name, window }) =>
    running.map((server) => ({ server, scenario: name, window, rounds: [] as Measurement[] }))
  );
  for (const server of running) await check(server, { clients, messages, window: 4 });
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    for (const { server, window, rounds } of results) {
      rounds.push(await check(server, { clients, messages, window }));
    }
  }
  return results.map(({ server, scenario, rounds }) => ({ server: server.spec, scenario, rounds }));
}

/** One measurement, while one more member reads every frame. */
async function check(server: Server, load: Load): Promise<Measurement> {
  try {
    await using checker = await Checker.connect(server.port);
    checker.expect(load.messages);
    const measurement = await runLoad(load, server.port, server.pid);
    await checker.done();
    return measurement;
  } catch (cause) {
    throw new Error(`${server.spec.name}: ${(cause as Error).message}`, { cause });
  }
}

async function main(args: string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === undefined) return console.log(usage);
  if (Deno.build.os !== "linux") throw new Error("the load generator needs Linux (epoll, /proc)");
  await compileLoad();
  const where = await environment(await toolchain());
  const pinning = await pin();
  const results = await measure(options, pinning);
  const { rounds, messages, clients } = options;
  const versions = Object.entries(where.runtimes).map(([name, version]) => `${name} ${version}`);
  console.log(`${where.machine}, ${where.system}; ${versions.join(", ")}; commit ${where.commit}
${clients} clients, ${messages} messages, median of ${rounds} rounds; ${pinning.note}

${report(results)}`);
  if (options.out !== undefined) {
    const { out: _, servers: __, scenarios: ___, ...settings } = options;
    const record = { ...where, pinning: pinning.note, ...settings, results };
    await Deno.writeTextFile(options.out, JSON.stringify(record, null, 2) + "\n");
  }
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    Deno.exit(error instanceof TypeError ? 2 : 1);
  }
}
