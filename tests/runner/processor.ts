/** How busy the processor is. */

import { cpus } from "node:os";

/** How much of the processor must have been free, of 1: less may be the gaps between two processes. */
const FREE = 0.3;

/** Returns what says whether a good part of the processor was free since it was asked last. */
export function freeProcessor(): () => boolean {
  let before = times();
  return () => {
    const now = times();
    const all = now.all - before.all;
    const idle = now.idle - before.idle;
    before = now;
    return all > 0 && idle / all > FREE;
  };
}

/** Milliseconds of all cores. */
function times(): { readonly all: number; readonly idle: number } {
  let [all, idle] = [0, 0];
  for (const { times } of cpus()) {
    all += times.user + times.nice + times.sys + times.idle + times.irq;
    idle += times.idle;
  }
  return { all, idle };
}
