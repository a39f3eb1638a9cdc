/** Makes the executable: the `weir` command with Bun inside, in one file. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What to make. */
export interface ExecutableOptions {
  /** The path of Bun, which bundles the sources. */
  readonly bun: string;
  /** The path of the new file; one that exists is replaced. */
  readonly output: string;
  /** Another system to make it for. By default it is for this one. */
  readonly target?: {
    /** As Bun names it, such as `bun-linux-arm64`. */
    readonly name: string;
    /** The path of the Bun that goes into the file. */
    readonly bun: string;
  };
}

const root = fileURLToPath(new URL("../", import.meta.url));

/**
 * The options of `bun build`. Bytecode and chunks make it start in half the time and the file 5 %
 * larger. With source maps, errors name the lines of the sources.
 */
const OPTIONS: readonly string[] = [
  "--compile",
  "--bytecode",
  "--format=esm",
  "--splitting",
  "--sourcemap=inline",
  // Weir reads no file of the working directory that its user did not name.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  "--no-compile-autoload-tsconfig",
  "--no-compile-autoload-package-json",
  // hcl2json requires a package of this name on runtimes that have no `performance`.
  "--external=performance",
];

/**
 * Makes the executable. The dependencies must be installed.
 *
 * @throws Error with the output of Bun.
 */
export async function makeExecutable({ bun, output, target }: ExecutableOptions): Promise<void> {
  await mkdir(dirname(output), { recursive: true });
  // Bun writes the source maps into the same folder, too, although the file contains them.
  const folder = await mkdtemp(join(dirname(output), ".executable-"));
  try {
    const file = join(folder, basename(output));
    const other = target === undefined
      ? []
      : [`--target=${target.name}`, `--compile-executable-path=${target.bun}`];
    const args = ["build", ...OPTIONS, ...other, `--outfile=${file}`, "executable/main.ts"];
    await promisify(execFile)(bun, args, { cwd: root }).catch(({ stdout, stderr }) => {
      throw new Error(`bun build has failed:\n${stdout}${stderr}`);
    });
    await rename(file, output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
