/** The module graph of `src`, as Deno itself sees it. */

import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { needTool } from "../support/toolchain.ts";

/** The folder of the repository, with a slash at its end. */
export const root: string = fileURLToPath(new URL("../../", import.meta.url));

/** One import of a module, for its types or for its code. */
export interface Import {
  /** A path relative to the repository, or `node:fs`, `npm:/hono@4.13.19`, `https://…`. */
  readonly target: string;
  /** As it stands in the source: `./errors.ts`, `hono`. */
  readonly specifier: string;
  /** True where it is only ever imported by `import()`. */
  readonly dynamic: boolean;
  /** Whether it brings types alone, so that nothing is loaded. */
  readonly typeOnly?: boolean;
}

/** The imports of each module, by its path relative to the repository. */
export type Graph = ReadonlyMap<string, readonly Import[]>;

/** What this file uses of `deno info --json`. */
interface ModuleInfo {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: ReadonlyArray<{
    readonly specifier: string;
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier?: string; readonly error?: string };
    readonly type?: { readonly specifier?: string; readonly error?: string };
  }>;
}

/** The paths of `mod.ts` and of all TypeScript files in `src`, relative to the repository, sorted. */
export async function sourceFiles(): Promise<string[]> {
  const names = await readdir(join(root, "src"), { recursive: true });
  return ["mod.ts", ...names.filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`)]
    .sort();
}

/** The text of a file, given relative to the repository. */
export function read(file: string): Promise<string> {
  return readFile(join(root, file), "utf8");
}

/** Runs the pinned Deno in the repository and returns its stdout; rejects where it fails. */
export async function deno(...args: string[]): Promise<string> {
  const path = await needTool("deno");
  const options = { cwd: root, env: { ...process.env, NO_COLOR: "1" }, maxBuffer: 2 ** 28 };
  return (await promisify(execFile)(path, args, options)).stdout;
}

/** Runs `use` with a temporary folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "weir-architecture-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Reads the imports of `mod.ts` and of every file in `src`. An import that leads nowhere throws. */
export async function readGraph(): Promise<Graph> {
  const files = await sourceFiles();
  const json = await withFolder(async (folder) => {
    const entry = join(folder, "all.ts");
    const lines = files.map((file) => `import "${pathToFileURL(join(root, file))}";\n`);
    await writeFile(entry, lines.join(""));
    return await deno("info", "--json", "--config", join(root, "deno.json"), entry);
  });
  const { modules, redirects } = JSON.parse(json) as {
    readonly modules: readonly ModuleInfo[];
    readonly redirects: Readonly<Record<string, string>>;
  };

  const base = pathToFileURL(root).href;
  const relative = (url: string) => url.startsWith(base) ? url.slice(base.length) : url;
  const graph = new Map<string, Import[]>();
  for (const { specifier, error, dependencies = [] } of modules) {
    if (error !== undefined) throw new Error(`${relative(specifier)}: ${error}`);
    const file = relative(specifier);
    if (!files.includes(file)) continue;
    const imports = dependencies.map((dependency) => {
      const found = dependency.code ?? dependency.type;
      const target = found?.specifier;
      if (target === undefined) {
        throw new Error(`${file}: "${dependency.specifier}": ${found?.error ?? "not found"}`);
      }
      return {
        target: relative(redirects[target] ?? target),
        specifier: dependency.specifier,
        dynamic: dependency.isDynamic ?? false,
        typeOnly: dependency.code === undefined,
      };
    });
    graph.set(file, imports);
  }
  return graph;
}

/** What knows the runtime that it runs on: the entrypoints and what they alone import. */
export const edge: readonly string[] = [
  ...["src/deno.ts", "src/bun.ts", "src/node.ts", "src/cli*.ts"],
  ...["src/commands/**", "src/plugins/**", "src/server/**", "src/workers/**"],
  // The sockets of each runtime. Those of any standard WebSocket belong to the core.
  ...["src/transport/bun.ts", "src/transport/deflate.ts", "src/transport/deno.ts"],
  "src/transport/node*.ts",
  // Starts a process for a connector under test.
  "src/testing/suite/process.ts",
  // What they and the drivers below share.
  "src/base/text-file.ts",
  "src/base/folder.ts",
  "src/contract/tls-files.ts",
];

/** The drivers that need a `node:` module or a client made for Node. Only `import()` loads them. */
export const nodeDrivers: readonly string[] = [
  "src/connectors/database/drivers/postgres/**",
  "src/connectors/database/drivers/mysql/**",
  "src/connectors/database/drivers/sqlite/**",
  "src/connectors/database/drivers/connection-pool.ts",
  "src/connectors/database/drivers/server-connections.ts",
  "src/connectors/database/migration-files.ts",
  "src/connectors/http/platform/**",
  "src/connectors/mq/drivers/rabbitmq/**",
  "src/connectors/mq/drivers/nats/backplane/**",
  "src/connectors/mq/drivers/redis/mod.ts",
  "src/connectors/mq/drivers/redis/backplane/**",
  "src/connectors/mq/drivers/redis/server/**",
  ...["confirmations", "connection", "core-consumer", "declarations", "delivery", "greeting"]
    .concat(
      "identity",
      "login",
      "message",
      "mod",
      "probing",
      "publishing",
      "stream-consumer",
      "topology",
      "transport",
    )
    .map((name) => `src/connectors/mq/drivers/nats/${name}.ts`),
  "src/connectors/mqtt/client/**",
  // Their text is written by a client made for Node.
  "src/metrics/**",
];

/** Whether a file belongs to the core, which uses web standards alone. */
export function isCore(file: string): boolean {
  return ![...edge, ...nodeDrivers].some((pattern) => match(file, pattern) !== null);
}

/**
 * Matches a path with a pattern: `*` stands for a name or a part of it, `**` for any path. The
 * result holds what each of them stood for, from index 1; null where it doesn't match.
 */
export function match(file: string, pattern: string): RegExpExecArray | null {
  const source = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll(/\*+/g, (stars) => stars.length > 1 ? "(.*)" : "([^/]*)");
  return new RegExp(`^${source}$`).exec(file);
}
