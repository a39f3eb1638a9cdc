/** Which programs run. */

import { readdir, readFile, readlink } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";

const SHELLS: readonly string[] = ["sh", "dash", "bash"];

/**
 * The paths of the programs of a process group, without shells, each once and sorted. Undefined on a
 * system that has no `/proc`.
 */
export async function programsOf(group: number): Promise<string[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const programs = new Set<string>();
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // A process may end at any time.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [, , groupOfProcess] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(groupOfProcess) !== group) continue;
    const program = await readlink(`/proc/${pid}/exe`).catch(() => undefined);
    if (program !== undefined && !SHELLS.includes(basename(program))) programs.add(program);
  }
  return [...programs].sort();
}
