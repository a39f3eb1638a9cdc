/** Where the database programs of this machine are, and what tests may do with it. */
import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pause } from "./socket-probe.ts";

/** The server of MariaDB. */
export const MARIADBD = "/usr/sbin/mariadbd";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Whether this process may act as any user. */
export const isRoot: boolean = process.getuid?.() === 0;

/** The folder with the programs of the newest PostgreSQL; undefined where there is none. */
export async function postgresPrograms(): Promise<string | undefined> {
  const versions = await readdir("/usr/lib/postgresql").catch(() => [] as string[]);
  for (const version of versions.sort((a, b) => Number(b) - Number(a))) {
    const folder = join("/usr/lib/postgresql", version, "bin");
    if (await exists(join(folder, "postgres"))) return folder;
  }
  return undefined;
}

/**
 * The words before a command that run it as `user` where we are root, and as ourselves otherwise. On
 * Linux it gets `atDeath` when this process ends without having stopped it.
 */
export function asUser(user: string, atDeath: "QUIT" | "KILL"): readonly string[] {
  if (process.platform !== "linux") return [];
  const identity = isRoot ? [`--reuid=${user}`, `--regid=${user}`, "--init-groups"] : [];
  return ["setpriv", ...identity, "--pdeathsig", atDeath, "--"];
}

/** Runs a program until it ends; rejects with what it printed where it fails. */
export async function execute(command: readonly string[], cwd: string = tmpdir()): Promise<string> {
  try {
    return (await run(command[0], command.slice(1), { cwd })).stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command.join(" ")} fails:\n${`${stdout}${stderr}`.slice(-2000)}`, {
      cause: error,
    });
  }
}

/** Makes an empty folder in which `user` may write. */
export async function folderOf(user: string, prefix: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await give(folder, user);
  return folder;
}

/** Makes `user` the owner of a folder with all that is in it, where we are root. */
export async function give(folder: string, user: string): Promise<void> {
  if (isRoot) await execute(["chown", "-R", `${user}:${user}`, folder]);
}

/**
 * Copies a data folder that `make` makes once for each checkout: that takes the processor longer than
 * a copy. `key` names what the folder depends on. `make` is called with a path inside of a folder of
 * `user`, to whom the copy belongs as well.
 */
export async function copyTemplate(
  key: string,
  user: string,
  to: string,
  make: (data: string) => Promise<unknown>,
): Promise<void> {
  const template = join(root, ".tools", `${key}${isRoot ? "" : `-${process.getuid?.()}`}`);
  if (!await exists(template)) {
    // The user may have no access to the checkout.
    const folder = await folderOf(user, "weir-template-");
    const copy = `${template}-${crypto.randomUUID()}`;
    try {
      await make(join(folder, "data"));
      await mkdir(join(root, ".tools"), { recursive: true });
      await execute(["cp", "-R", "-p", join(folder, "data"), copy]);
      await rename(copy, template).catch(async (error) => {
        // Another process may have been faster.
        if (!await exists(template)) throw error;
      });
    } finally {
      await rm(folder, { recursive: true });
      await rm(copy, { recursive: true, force: true });
    }
  }
  await execute(["cp", "-R", "-p", `${template}/.`, to]);
}

/** Whether a file or a folder is there. */
export async function exists(path: string): Promise<boolean> {
  return await access(path).then(() => true, () => false);
}

/** Whether a test may mount a small disk. */
export async function mounts(): Promise<{ ok: true } | { ok: false; reason: string }> {
  if (!isRoot) return { ok: false, reason: "only root may mount a small disk" };
  const folder = await mkdtemp(join(tmpdir(), "weir-disk-"));
  try {
    await mountDisk(folder, 1);
    await unmountDisk(folder);
    return { ok: true };
  } catch {
    return { ok: false, reason: "this machine mounts no tmpfs" };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Mounts a disk of so many megabytes on an empty folder. */
export async function mountDisk(folder: string, megabytes: number): Promise<void> {
  await execute(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=700`, "tmpfs", folder]);
}

/** Removes a disk that `mountDisk` has mounted. */
export async function unmountDisk(folder: string): Promise<void> {
  // The system may be at work on processes that were killed, whose files are still open.
  for (let tries = 0; tries < 50; tries++) {
    if (await execute(["umount", folder]).then(() => true, () => false)) return;
    await pause(20);
  }
  await execute(["umount", folder]);
}
