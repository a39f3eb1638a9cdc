/**
 * Makes the npm package: `deno task pack [FOLDER]` writes `weir-runtime-VERSION.tgz`, by default into
 * `dist/`, and prints its path. `deno pack` does most of it; this adds what it cannot say.
 */
import { execFile } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { create, extract } from "tar";
import manifest from "../deno.json" with { type: "json" };
import { OLDEST_NODES } from "../src/server/node-version.ts";

/** What `deno.json` has no place for. */
const ADDED = {
  description:
    "A real-time server that you configure instead of programming it: WebSockets with rooms and users, databases, brokers and REST, described in HCL",
  keywords: [
    "websocket",
    "realtime",
    "server",
    "hcl",
    "rooms",
    "rabbitmq",
    "sqlite",
    "declarative",
  ],
  engines: { node: `^${OLDEST_NODES[0]} || >=${OLDEST_NODES[1]}` },
  bin: { weir: "bin/weir.cjs" },
};

/**
 * Packages that a program has if it wants what they are for, with the versions that work. `deno.json`
 * and JSR have no word for them.
 */
const OPTIONAL_PEERS: Readonly<Record<string, string>> = { "@opentelemetry/api": "^1.9.0" };

/** The same time for every file, so that the same sources make the same package. */
const MODIFIED = new Date("1985-10-26T08:15:00Z");

const root = fileURLToPath(new URL("../", import.meta.url));

/** Writes the package into a folder and returns its path. */
export async function packNpm(folder: string): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), "weir-pack-"));
  try {
    const packed = join(work, "deno.tgz");
    // A source map would hold the path of this folder.
    await runDeno("pack", "--quiet", "--allow-dirty", "--no-source-maps", "--output", packed);
    await extract({ file: packed, cwd: work });
    await complete(join(work, "package"));
    const file = join(folder, `weir-runtime-${manifest.version}.tgz`);
    await mkdir(folder, { recursive: true });
    await create(
      { file, cwd: work, gzip: true, portable: true, mtime: MODIFIED },
      ["package"],
    );
    return file;
  } finally {
    await rm(work, { recursive: true });
  }
}

/** Adds the command, and what npm reads in the manifest. */
async function complete(folder: string): Promise<void> {
  const path = join(folder, "package.json");
  const { name, version, dependencies, ...others } = JSON.parse(await readFile(path, "utf8"));
  for (const peer of Object.keys(OPTIONAL_PEERS)) delete dependencies[peer];
  const all = {
    ...{ name, version, ...ADDED, ...others },
    dependencies: asWritten(dependencies),
    peerDependencies: OPTIONAL_PEERS,
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(OPTIONAL_PEERS).map((peer) => [peer, { optional: true }]),
    ),
  };
  await writeFile(path, `${JSON.stringify(all, null, 2)}\n`);
  await mkdir(join(folder, "bin"));
  for (const file of ["weir.cjs", "start.cjs"]) {
    await copyFile(join(root, "package", file), join(folder, "bin", file));
  }
  await chmod(join(folder, ADDED.bin.weir), 0o755);
}

/** The versions as `deno.json` has them: `deno pack` makes a range of an exact version. */
function asWritten(dependencies: Readonly<Record<string, string>>): Record<string, string> {
  const imports: Readonly<Record<string, string>> = manifest.imports;
  return Object.fromEntries(
    Object.keys(dependencies).map((name) => {
      const specifier = imports[name];
      if (!specifier?.startsWith(`npm:${name}@`)) {
        throw new Error(`deno.json must name ${name} as npm:${name}@VERSION`);
      }
      return [name, specifier.slice(`npm:${name}@`.length)];
    }),
  );
}

/** Runs a command of Deno in the checkout. */
async function runDeno(...args: string[]): Promise<void> {
  const env = { ...process.env, NO_COLOR: "1" };
  try {
    await promisify(execFile)(process.execPath, args, { cwd: root, env });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { readonly stdout?: string; stderr?: string };
    throw new Error(`deno ${args[0]} failed:\n${stdout}${stderr}`, { cause: error });
  }
}

if (import.meta.main) {
  const file = await packNpm(resolve(process.argv[2] ?? join(root, "dist")));
  console.log(`${file} (${Math.round((await stat(file)).size / 1024)} KiB)`);
}
