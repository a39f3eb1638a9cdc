/**
 * Divides cases among the runtimes that run the same test: for code that is the same everywhere and
 * uses nothing of a runtime, where more cases find more than the same cases three times.
 */
import process from "node:process";
import type { Tool } from "./toolchain.ts";

const { bun, deno } = process.versions;

/** The runtime that runs this. */
const here: Tool = deno !== undefined ? "deno" : bun !== undefined ? "bun" : "node";

/** Whether the case of this number, from 0, is one of this runtime's: each is of one of `among`. */
export function isOurs(index: number, among: readonly Tool[] = ["deno", "bun", "node"]): boolean {
  return !among.includes(here) || among[index % among.length] === here;
}
