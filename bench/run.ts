/** `deno task bench`: measures Weir and what people use without it. `--help` lists the options. */
import { toolchain } from "../tests/support/toolchain.ts";
import { environment } from "./environment.ts";
import { endContests, runScenario } from "./measure.ts";
import { parseOptions, usageOf } from "./options.ts";
import { pin } from "./pinning.ts";
import { saveResult, type ScenarioResult } from "./results.ts";
import { scenarios } from "./scenarios.ts";
import { barLines, scenarioTable } from "./tables.ts";

/** Runs the chosen scenarios and returns the exit code. */
async function main(args: string[]): Promise<number> {
  const options = parseOptions(args, scenarios);
  if (options === undefined) {
    console.log(usageOf(scenarios));
    return 0;
  }
  if (Deno.build.os !== "linux") throw new Error("the load generator needs Linux (epoll, /proc)");
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void endContests().finally(() => Deno.exit(130)));
  }
  const { choices, quick, save, out } = options;
  const tools = await toolchain();
  const where = await environment(tools);
  const pinning = await pin();
  const versions = Object.entries(where.versions).map((each) => each.join(" ")).join(", ");
  console.log(`${where.machine}, ${where.system}; ${versions}; commit ${where.commit}
median of ${options.rounds} rounds; ${pinning.note}
`);
  const results: Record<string, ScenarioResult> = {};
  const failures: string[] = [];
  for (const { scenario, contenders } of choices) {
    const rounds = Math.min(options.rounds, scenario.rounds ?? Infinity);
    const run = await runScenario(scenario, { tools, pinning, quick }, {
      contenders,
      rounds,
      log: progress,
    });
    progress("");
    const result: ScenarioResult = {
      date: new Date().toISOString().slice(0, 10),
      environment: where,
      pinning: pinning.note,
      rounds,
      contenders: run.contenders,
    };
    results[scenario.name] = result;
    failures.push(...run.failures);
    const parts = [
      `### ${scenario.name}: ${scenario.title}`,
      scenarioTable(scenario, result),
      barLines(scenario, result),
      [...run.leftOut, ...run.failures].join("\n"),
    ];
    console.log(`${parts.filter((part) => part !== "").join("\n\n")}\n`);
    if (save && run.failures.length === 0) await saveResult(scenario.name, result);
  }
  if (out !== undefined) await Deno.writeTextFile(out, `${JSON.stringify(results, null, 2)}\n`);
  for (const failure of failures) console.error(`bench: ${failure}`);
  return failures.length === 0 ? 0 : 1;
}

/** One line of progress, on a terminal only. */
function progress(text: string): void {
  if (!Deno.stderr.isTerminal()) return;
  Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(`bench: ${(error as Error).message}`);
    Deno.exit(error instanceof TypeError ? 2 : 1);
  }
}
