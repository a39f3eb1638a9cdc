/** Makes the executable: the `weir` command with Bun inside, in one file. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BundleOrder } from "./bundle.ts";

/** What to make. */
export interface ExecutableOptions extends Pick<BundleOrder, "target"> {
  /** The path of Bun, which bundles the sources. */
  readonly bun: string;
  /** The path of the new file; one that exists is replaced. */
  readonly output: string;
}

const here = fileURLToPath(new URL("./", import.meta.url));

/**
 * Makes the executable. The dependencies must be installed.
 *
 * @throws Error with the output of Bun, or why Bun cannot be started.
 */
export async function makeExecutable({ bun, output, target }: ExecutableOptions): Promise<void> {
  const parent = dirname(resolve(output));
  await mkdir(parent, { recursive: true });
  // Bun writes the source maps into the same folder, too, although the file contains them.
  const folder = await mkdtemp(join(parent, ".executable-"));
  try {
    const file = join(folder, basename(output));
    const order: BundleOrder = { entry: join(here, "main.ts"), output: file, target };
    const args = ["--no-env-file", join(here, "bundle.ts"), JSON.stringify(order)];
    await promisify(execFile)(bun, args, { cwd: here }).catch((cause) => {
      const { stdout, stderr, message } = cause;
      const reason = `${stdout}${stderr}` || message;
      throw new Error(`the executable cannot be made:\n${reason}`, { cause });
    });
    await rename(file, output);
  } finally {
    await rm(folder, { recursive: true });
  }
}
