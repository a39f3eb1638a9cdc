/** Refuses a Node that is too old. `src/node.ts` imports it first, before what such a Node lacks. */
import process from "node:process";

/** The oldest Node of each line that has what Weir uses, such as `shouldUpgradeCallback`. */
export const OLDEST_NODES: readonly [string, string] = ["22.21.0", "24.9.0"];

/** Says which versions work; undefined if this version of Node does. */
export function nodeProblem(version: string): string | undefined {
  const [major, minor] = numbers(version);
  const [[lts, since], [newest, from]] = OLDEST_NODES.map(numbers);
  const works = major === lts
    ? minor >= since
    : major > newest || major === newest && minor >= from;
  if (works) return undefined;
  return `@weir/runtime needs Node ${lts}.${since} or a later Node ${lts}, or Node ${newest}.${from} or later; this is Node ${version}`;
}

function numbers(version: string): readonly number[] {
  return version.split(".").map(Number);
}

const { node, deno, bun } = process.versions;
const problem = deno === undefined && bun === undefined ? nodeProblem(node) : undefined;
if (problem !== undefined) throw new Error(problem);
