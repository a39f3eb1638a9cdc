/** Which parts of its variables an expression reads, found in its syntax tree. */

import type { ASTNode } from "@marcbachmann/cel-js";
import { MACROS } from "./macros.ts";

/** The variables that a node sees, and the variable of the event that each stands for. */
type Roots = ReadonlyMap<string, string>;

/**
 * The constant selections below `variables`, as dotted text: `input.items[0].x` gives
 * "input.items", a whole variable its name. `context` counts as "client". The tree is one that
 * compiles.
 */
export function pathsIn(node: ASTNode, variables: readonly string[]): Set<string> {
  const paths = new Set<string>();
  const roots = new Map(variables.map((name) => [name, name]));
  if (roots.has("client") && !roots.has("context")) roots.set("context", "client");
  collect(node, roots, paths);
  return paths;
}

function collect(node: ASTNode, roots: Roots, paths: Set<string>): void {
  const path = pathOf(node, roots);
  if (path !== undefined) {
    paths.add(path);
    return;
  }
  const binding = bindingOf(node);
  if (binding === undefined) {
    for (const child of childrenOf(node)) collect(child, roots, paths);
    return;
  }
  const { variable, value, bodies } = binding;
  collect(value, roots, paths);
  const inner = new Map(roots);
  if (variable.op === "id") inner.delete(variable.args);
  for (const body of bodies) collect(body, inner, paths);
}

/** The path that `a.b["c"]` selects; undefined for everything that is not constant names. */
function pathOf(node: ASTNode, roots: Roots): string | undefined {
  if (node.op === "id") return roots.get(node.args);
  if (node.op !== "." && node.op !== "[]") return undefined;
  const [object, key] = node.args;
  const name = typeof key === "string" ? key : key.op === "value" ? key.args : undefined;
  // A name that has a dot of its own would read as two.
  if (typeof name !== "string" || name === "" || name.includes(".")) return undefined;
  const path = pathOf(object, roots);
  return path === undefined ? undefined : `${path}.${name}`;
}

/** A macro's or `cel.bind`'s variable, what it is taken from, and what sees it. */
interface Binding {
  readonly variable: ASTNode;
  readonly value: ASTNode;
  readonly bodies: readonly ASTNode[];
}

function bindingOf(node: ASTNode): Binding | undefined {
  if (node.op !== "rcall") return undefined;
  const [name, receiver, [variable, ...rest]] = node.args;
  if (receiver.op === "id" && receiver.args === "cel" && name === "bind") {
    const [value, ...bodies] = rest;
    return { variable, value, bodies };
  }
  const isMacro = MACROS.has(`${name}/${rest.length + 1}`);
  return isMacro ? { variable, value: receiver, bodies: rest } : undefined;
}

function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "list":
      return node.args;
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    case ".":
    case ".?":
      return [node.args[0]];
    default:
      return node.args;
  }
}
