/** Whether this process may open more files and sockets: each takes a descriptor, and their number is limited. */
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";

/** What the system says where there are none left, to the process or on the whole machine. */
const NONE_LEFT: readonly unknown[] = ["EMFILE", "ENFILE"];

/** Whether so many descriptors are free. They are taken for a moment, since nothing else tells. */
export function areFree(count: number): boolean {
  const taken: number[] = [];
  try {
    while (taken.length < count) taken.push(openSync(devNull, "r"));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && NONE_LEFT.includes(error.code)) return false;
    throw error;
  } finally {
    for (const descriptor of taken) closeSync(descriptor);
  }
}
