/**
 * Bundles the executable. Bun runs this program, because only its own API has plugins. The argument
 * is a `BundleOrder` as JSON.
 */
import { readFile } from "node:fs/promises";
import process from "node:process";

/** What to bundle. */
export interface BundleOrder {
  /** The program, absolute. */
  readonly entry: string;
  /** The new file, absolute. */
  readonly output: string;
  /** Another system, such as `bun-linux-arm64`, and the path of its Bun. */
  readonly target?: { readonly name: string; readonly bun: string } | undefined;
}

/** The part of `Bun` that is used here. */
interface BunGlobal {
  build(options: {
    readonly entrypoints: readonly string[];
    readonly format: "esm";
    readonly splitting: boolean;
    readonly bytecode: boolean;
    readonly sourcemap: "inline";
    readonly external: readonly string[];
    readonly loader: Readonly<Record<string, "file">>;
    readonly compile: {
      readonly outfile: string;
      readonly target?: string;
      readonly executablePath?: string;
      readonly autoloadDotenv: boolean;
      readonly autoloadBunfig: boolean;
      readonly autoloadTsconfig: boolean;
      readonly autoloadPackageJson: boolean;
    };
    readonly plugins: readonly Plugin[];
  }): Promise<unknown>;
}

interface Plugin {
  readonly name: string;
  setup(build: {
    onLoad(
      filter: { readonly filter: RegExp },
      load: (file: { readonly path: string }) => Promise<{
        readonly contents: string;
        readonly loader: "js";
      }>,
    ): void;
  }): void;
}

/** Where hcl2json reads its WebAssembly, relative to its own folder, which the executable lacks. */
const WASM_PATH = '(0, path_1.join)(__dirname, "..", "main.wasm.gz")';

/** Puts the WebAssembly of hcl2json into the executable. */
const embedParser: Plugin = {
  name: "embed hcl2json",
  setup(build): void {
    build.onLoad({ filter: /\/hcl2json\/lib\/bridge\.js$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const pieces = text.split(WASM_PATH);
      if (pieces.length !== 2) throw new Error(`${path} reads its WebAssembly in another way`);
      return { contents: pieces.join('require("../main.wasm.gz")'), loader: "js" };
    });
  },
};

const { entry, output, target }: BundleOrder = JSON.parse(process.argv[2]);
const { Bun } = globalThis as unknown as { readonly Bun: BunGlobal };
await Bun.build({
  entrypoints: [entry],
  // Bytecode and chunks make the file 5 % larger and its start twice as fast.
  format: "esm",
  splitting: true,
  bytecode: true,
  // Errors name the lines of the sources.
  sourcemap: "inline",
  // hcl2json requires a package of this name on runtimes that have no `performance`.
  external: ["performance"],
  loader: { ".gz": "file" },
  compile: {
    outfile: output,
    ...target && { target: target.name, executablePath: target.bun },
    // Weir reads no file of the working directory that its user did not name.
    autoloadDotenv: false,
    autoloadBunfig: false,
    autoloadTsconfig: false,
    // Without it, plugins would find no package.
    autoloadPackageJson: true,
  },
  plugins: [embedParser],
});
