/** How much of a page each library is, made by the same bundler with the same options. */
import { gzipSync } from "node:zlib";
import { libraries, type Library, type OfEach } from "./libraries/mod.ts";

/** A library in a page. */
export interface Size {
  /** Bytes of the bundle, minified. */
  readonly minified: number;
  /** The same with gzip, at its usual level. */
  readonly gzipped: number;
  /** Packages that are installed with it. */
  readonly installed: number;
  /** Packages beside its own that are in the bundle. */
  readonly bundled: number;
}

const here = new URL("./", import.meta.url);

/** What a page imports, as the documentation of each says. */
const ENTRIES: OfEach<string> = {
  weir: `export { connect } from "../../src/client/mod.ts";`,
  socketio: `export { io } from "socket.io-client";`,
  centrifuge: `export { Centrifuge } from "centrifuge";`,
};

/** Their packages, where they are installed here. */
const PACKAGES: Partial<OfEach<string>> = {
  socketio: "socket.io-client",
  centrifuge: "centrifuge",
};

interface Manifest {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>;
}

/** The versions of the packages of this folder. Fails where they are not installed. */
export async function versionsOf(): Promise<Record<string, string>> {
  const names = ["socket.io", "socket.io-client", "centrifuge", "esbuild"];
  const versions: Record<string, string> = {};
  for (const name of names) {
    const manifest = await manifestOf(name).catch(() => {
      throw new Error(`${name} is missing: run \`bun install\` in bench/clients`);
    });
    versions[name] = manifest.version;
  }
  return versions;
}

/** Bundles each library. */
export async function measureSizes(): Promise<OfEach<Size>> {
  const folder = await Deno.makeTempDir({ prefix: "weir-bench-" });
  try {
    const sizes: [Library, Size][] = [];
    for (const library of libraries) {
      sizes.push([library, await sizeOf(library, folder)]);
    }
    return Object.fromEntries(sizes) as unknown as OfEach<Size>;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function sizeOf(library: Library, folder: string): Promise<Size> {
  const [output, metafile] = [`${folder}/${library}.js`, `${folder}/${library}.json`];
  await bundle(ENTRIES[library], [`--outfile=${output}`, `--metafile=${metafile}`]);
  const script = await Deno.readFile(output);
  const { inputs }: Metafile = JSON.parse(await Deno.readTextFile(metafile));
  const own = PACKAGES[library];
  const bundled = new Set(Object.keys(inputs).flatMap((path) => packageOf(path) ?? []));
  return {
    minified: script.length,
    gzipped: gzipSync(script).length,
    installed: own === undefined ? 0 : (await dependenciesOf(own)).size - 1,
    bundled: bundled.size - (own === undefined ? 0 : 1),
  };
}

async function bundle(entry: string, outputs: readonly string[]): Promise<void> {
  const child = new Deno.Command(
    new URL("node_modules/esbuild/bin/esbuild", here).pathname,
    {
      args: [
        "--bundle",
        "--minify",
        "--format=esm",
        "--platform=browser",
        "--target=es2022",
        "--loader=ts",
        "--log-level=warning",
        ...outputs,
      ],
      cwd: here,
      stdin: "piped",
    },
  ).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(entry));
  await writer.close();
  const { success } = await child.status;
  if (!success) throw new Error(`esbuild cannot bundle ${entry}`);
}

/** The package of a file, by the last `node_modules` of its path. */
function packageOf(path: string): string | undefined {
  return /^.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
}

/** A package and all that it needs, as a page's own project would install them. */
async function dependenciesOf(name: string, found: Set<string> = new Set()): Promise<Set<string>> {
  if (found.has(name)) return found;
  found.add(name);
  for (const each of Object.keys((await manifestOf(name)).dependencies ?? {})) {
    await dependenciesOf(each, found);
  }
  return found;
}

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await Deno.readTextFile(new URL(`node_modules/${name}/package.json`, here)));
}
