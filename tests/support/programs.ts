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

/**
 * A process and all that it has started, the process first. Only itself on a system that has no
 * `/proc`.
 */
export async function familyOf(pid: number): Promise<readonly number[]> {
  const family = [pid];
  if (process.platform !== "linux") return family;
  const children = new Map<number, number[]>();
  for (const name of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const stat = await readFile(`/proc/${name}/stat`, "utf8").catch(() => "");
    const [, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const siblings = children.get(Number(parent));
    if (siblings === undefined) children.set(Number(parent), [Number(name)]);
    else siblings.push(Number(name));
  }
  for (const member of family) family.push(...children.get(member) ?? []);
  return family;
}

/**
 * Resolves once processes that have got SIGSTOP are stopped, with all of their threads: one that runs
 * goes on for a moment. At once on a system that has no `/proc`.
 */
export async function untilStopped(pids: readonly number[]): Promise<void> {
  if (process.platform !== "linux") return;
  for (const pid of pids) {
    while (!await isStopped(pid)) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function isStopped(pid: number): Promise<boolean> {
  // One that has ended is as good.
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const stats = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, "utf8").catch(() => "")),
  );
  return stats.every((stat) => stat === "" || "TZX".includes(stat[stat.lastIndexOf(")") + 2]));
}
