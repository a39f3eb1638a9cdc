/** The checks that Deno has built in: format, lint, types, documentation, publishing. */

import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./process.ts";
import { failed, type StepResult, tail } from "./steps.ts";

/** A command of Deno that passes or fails as a whole. */
export interface Check {
  readonly name: string;
  readonly args: readonly string[];
}

/** Creates the `node_modules` that Bun and Node resolve; it runs before everything else. */
export const installDependencies: Check = {
  name: "deno install",
  args: ["install", "--frozen"],
};

/** All checks, for the folders and exports that `root` has. */
export async function listChecks(root: string): Promise<Check[]> {
  const sources: string[] = [];
  for (
    const path of ["mod.ts", "src", "tests", "bench", "examples", "docs", "package", "executable"]
  ) {
    if (!await holdsCode(join(root, path))) continue;
    // Pages of examples import what their server serves.
    sources.push(path === "examples" ? "examples/**/*.ts" : path);
  }
  const pages = ["write-a-connector", "testing", "client", "metrics"].map((name) =>
    `docs/${name}.md`
  );
  const { exports } = JSON.parse(await readFile(join(root, "deno.json"), "utf8"));
  return [
    { name: "deno fmt --check", args: ["fmt", "--check"] },
    { name: "deno lint", args: ["lint"] },
    // With the examples in them: to check those apart would check all that they import once more.
    { name: "deno check", args: ["check", "--quiet", "--doc", ...sources, ...pages] },
    { name: "deno doc --lint", args: ["doc", "--lint", ...Object.values<string>(exports)] },
    {
      name: "examples in doc comments",
      args: [
        "test",
        "-A",
        "--doc",
        "--no-check",
        "mod.ts",
        "src",
        ...pages,
      ],
    },
    { name: "the client library in one file", args: ["run", "-A", "package/client.ts", "--check"] },
    { name: "docs/configuration.md", args: ["run", "-A", "docs/generate.ts", "--check"] },
    { name: "docs/architecture.md", args: ["run", "-A", "docs/architecture.ts", "--check"] },
    { name: "docs/from-mycel.md", args: ["run", "-A", "docs/from-mycel.ts", "--check"] },
    { name: "files shown in docs", args: ["run", "-A", "docs/files.ts", "--check"] },
    { name: "docs/metrics.md", args: ["run", "-A", "docs/metrics.ts", "--check"] },
    { name: "docs/symptoms.md", args: ["run", "-A", "docs/symptoms.ts", "--check"] },
    {
      name: "docs/monitoring/dashboard.json",
      args: ["run", "-A", "docs/monitoring/dashboard.ts", "--check"],
    },
    { name: "docs/performance.md", args: ["run", "-A", "bench/report.ts", "--check"] },
    {
      name: "docs/client-comparison.md",
      args: ["run", "-A", "bench/clients/report.ts", "--check"],
    },
    {
      name: "what the pages of the examples share",
      args: ["run", "-A", "docs/templates/shared.ts", "--check"],
    },
    {
      name: "templates of weir init",
      args: ["run", "-A", "docs/templates/generate.ts", "--check"],
    },
    {
      name: "deno publish --dry-run",
      // `deno check` checks the types, and slow ones are found all the same.
      args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    },
  ];
}

/** Runs one check; it counts as one test. */
export async function runCheck(check: Check, root: string, deno: string): Promise<StepResult> {
  const { ok, output, end } = await run(deno, check.args, {
    cwd: root,
    env: { NO_COLOR: "1" },
    timeout: 300_000,
  });
  if (!ok) return failed(end, tail(output), output);
  return { passed: 1, failures: [], skipped: [], output };
}

/** Whether `path` is a file, or a folder with TypeScript in it or below it. */
async function holdsCode(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false;
  if (found.isFile()) return true;
  return (await readdir(path, { recursive: true })).some((name) =>
    name.endsWith(".ts") && !name.includes("node_modules")
  );
}
