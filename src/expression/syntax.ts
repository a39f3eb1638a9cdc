/** The syntax tree of an expression. */

/** The most arguments of a call, its receiver not counted. */
export const MOST_ARGUMENTS = 32;

/** An operator with two operands, other than `&&` and `||`. */
export type BinaryOperator =
  | "=="
  | "!="
  | "in"
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "<"
  | "<="
  | ">"
  | ">=";

/** A function call. A call as a method, `x.f()`, has a receiver. */
export interface CallNode {
  readonly kind: "call";
  readonly start: number;
  readonly end: number;
  readonly name: string;
  readonly receiver?: SyntaxNode;
  readonly args: readonly SyntaxNode[];
}

/** A node of the tree, and its place in the text in characters; `end` is exclusive. */
export type SyntaxNode =
  | CallNode
  | (
    & { readonly start: number; readonly end: number }
    & (
      | { readonly kind: "literal"; readonly value: unknown }
      | { readonly kind: "name"; readonly name: string }
      | { readonly kind: "field"; readonly object: SyntaxNode; readonly name: string }
      | { readonly kind: "element"; readonly object: SyntaxNode; readonly key: SyntaxNode }
      | { readonly kind: "list"; readonly items: readonly SyntaxNode[] }
      | { readonly kind: "map"; readonly entries: readonly Entry[] }
      | {
        readonly kind: "conditional";
        readonly test: SyntaxNode;
        readonly yes: SyntaxNode;
        readonly no: SyntaxNode;
      }
      | {
        readonly kind: "logical";
        readonly operator: "&&" | "||";
        readonly left: SyntaxNode;
        readonly right: SyntaxNode;
      }
      | { readonly kind: "unary"; readonly operator: "!" | "-"; readonly operand: SyntaxNode }
      | {
        readonly kind: "binary";
        readonly operator: BinaryOperator;
        readonly left: SyntaxNode;
        readonly right: SyntaxNode;
      }
    )
  );

/** An entry of a map. */
export interface Entry {
  readonly key: SyntaxNode;
  readonly value: SyntaxNode;
}

/** The parts of a node that are expressions themselves, in the order of the text. */
export function childrenOf(node: SyntaxNode): readonly SyntaxNode[] {
  switch (node.kind) {
    case "literal":
    case "name":
      return [];
    case "field":
      return [node.object];
    case "element":
      return [node.object, node.key];
    case "call":
      return node.receiver === undefined ? node.args : [node.receiver, ...node.args];
    case "list":
      return node.items;
    case "map":
      return node.entries.flatMap(({ key, value }) => [key, value]);
    case "conditional":
      return [node.test, node.yes, node.no];
    case "unary":
      return [node.operand];
    default:
      return [node.left, node.right];
  }
}
