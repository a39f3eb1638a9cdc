/** Finds the parts of its variables that an expression reads. */

import { MACROS } from "./macros.ts";
import { childrenOf, type SyntaxNode } from "./syntax.ts";

/** The variables that a node can read, and the variable of the event that each is. */
type Roots = ReadonlyMap<string, string>;

/**
 * The constant selections below `variables`, as dotted text: "input.items" for
 * `input.items[0].x`, the name alone for a whole variable. `context` counts as "client". The tree
 * must be one that compiles.
 */
export function pathsIn(node: SyntaxNode, variables: readonly string[]): Set<string> {
  const paths = new Set<string>();
  const roots = new Map(variables.map((name) => [name, name]));
  if (roots.has("client") && !roots.has("context")) roots.set("context", "client");
  collect(node, roots, paths);
  return paths;
}

function collect(node: SyntaxNode, roots: Roots, paths: Set<string>): void {
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
  collect(binding.value, roots, paths);
  const inner = new Map(roots);
  for (const variable of binding.variables) {
    if (variable.kind === "name") inner.delete(variable.name);
  }
  for (const body of binding.bodies) collect(body, inner, paths);
}

/** The path that `a.b["c"]` selects; undefined for anything but constant names. */
export function pathOf(node: SyntaxNode, roots: Roots): string | undefined {
  if (node.kind === "name") return roots.get(node.name);
  if (node.kind !== "field" && node.kind !== "element") return undefined;
  const name = node.kind === "field"
    ? node.name
    : node.key.kind === "literal"
    ? node.key.value
    : undefined;
  // A name that contains a dot would read as two.
  if (typeof name !== "string" || name === "" || name.includes(".")) return undefined;
  const path = pathOf(node.object, roots);
  return path === undefined ? undefined : `${path}.${name}`;
}

/** The variables that a macro or `cel.bind` declares, their origin, and the parts that see them. */
interface Binding {
  readonly variables: readonly SyntaxNode[];
  readonly value: SyntaxNode;
  readonly bodies: readonly SyntaxNode[];
}

function bindingOf(node: SyntaxNode): Binding | undefined {
  if (node.kind !== "call" || node.receiver === undefined) return undefined;
  const { name, receiver, args } = node;
  if (receiver.kind === "name" && receiver.name === "cel" && name === "bind") {
    const [variable, value, ...bodies] = args;
    return { variables: [variable], value, bodies };
  }
  const macro = MACROS.get(`${name}/${args.length}`);
  if (macro === undefined) return undefined;
  return {
    variables: args.slice(0, macro.variables),
    value: receiver,
    bodies: args.slice(macro.variables),
  };
}
