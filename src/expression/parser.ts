/** Parses the text of an expression. */

import type { Source } from "./source.ts";
import { type BinaryOperator, type Entry, MOST_ARGUMENTS, type SyntaxNode } from "./syntax.ts";
import { Lexer, type Token, type TokenKind } from "./tokens.ts";

/** Words that CEL reserves. They can be fields and methods, but not variables or functions. */
const RESERVED: ReadonlySet<string> = new Set(
  ("as break const continue else for function if import let loop package namespace return var " +
    "void while").split(" "),
);

/** The operators with two operands by how strongly they bind, from weak to strong. */
const LEVELS: readonly (readonly TokenKind[])[] = [
  ["||"],
  ["&&"],
  ["==", "!="],
  ["<", "<=", ">", ">=", "in"],
  ["+", "-"],
  ["*", "/", "%"],
];

/** The most nodes of a tree. */
const MOST_NODES = 10_000;

/** How deeply expressions may be nested: parentheses, unary operators, selected fields. */
const DEEPEST = 250;

/** The most items of a list or entries of a map. */
const MOST_ITEMS = 1_000;

/** The syntax tree of an expression. Throws an ExpressionError with the place of a mistake. */
export function parse(source: Source): SyntaxNode {
  if (source.text.trim() === "") {
    throw source.syntaxError({ start: 0, end: source.text.length }, "the expression is empty");
  }
  return new Parser(source).whole();
}

class Parser {
  readonly #source: Source;
  readonly #lexer: Lexer;
  #token: Token;
  /** The end of the last token that was taken. */
  #end = 0;
  #nodes = 0;
  #depth = 0;

  constructor(source: Source) {
    this.#source = source;
    this.#lexer = new Lexer(source);
    this.#token = this.#lexer.next();
  }

  whole(): SyntaxNode {
    const node = this.#expression();
    if (this.#token.kind !== "end") throw this.#unexpected();
    return node;
  }

  #unexpected(): Error {
    return this.#source.syntaxError(this.#token, `unexpected token: ${this.#token.label}`);
  }

  #take(): Token {
    const token = this.#token;
    this.#end = token.end;
    this.#token = this.#lexer.next();
    return token;
  }

  /** Takes the token where it is of that kind. */
  #accept(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false;
    this.#take();
    return true;
  }

  #expect(kind: TokenKind, label = `"${kind}"`): Token {
    if (this.#token.kind === kind) return this.#take();
    throw this.#source.syntaxError(this.#token, `expected ${label}, got ${this.#token.label}`);
  }

  #node<N extends SyntaxNode>(node: N): N {
    if (++this.#nodes > MOST_NODES) {
      throw this.#source.syntaxError(node, `the expression has more than ${MOST_NODES} parts`);
    }
    return node;
  }

  #goDeeper(): void {
    if (++this.#depth <= DEEPEST) return;
    throw this.#source.syntaxError(
      this.#token,
      `the expression is nested more than ${DEEPEST} levels deep`,
    );
  }

  #expression(): SyntaxNode {
    this.#goDeeper();
    let node = this.#binary(0);
    if (this.#accept("?")) {
      const test = node;
      const yes = this.#expression();
      this.#expect(":");
      const no = this.#expression();
      node = this.#node({ kind: "conditional", start: test.start, end: no.end, test, yes, no });
    }
    this.#depth--;
    return node;
  }

  /** Operators of one level and all that bind more strongly. */
  #binary(level: number): SyntaxNode {
    if (level === LEVELS.length) return this.#unary();
    let left = this.#binary(level + 1);
    while (LEVELS[level].includes(this.#token.kind)) {
      const operator = this.#take().kind as BinaryOperator | "&&" | "||";
      const right = this.#binary(level + 1);
      const range = { start: left.start, end: right.end };
      left = operator === "&&" || operator === "||"
        ? this.#node({ kind: "logical", ...range, operator, left, right })
        : this.#node({ kind: "binary", ...range, operator, left, right });
    }
    return left;
  }

  #unary(): SyntaxNode {
    const { kind, start } = this.#token;
    if (kind !== "!" && kind !== "-") return this.#member();
    this.#take();
    // The least int has no positive counterpart, so the sign belongs to the literal.
    if (kind === "-" && typeof this.#token.value === "bigint") return this.#member(start);
    this.#goDeeper();
    const operand = this.#unary();
    this.#depth--;
    return this.#node({ kind: "unary", start, end: operand.end, operator: kind, operand });
  }

  /** A primary expression and what is selected from it. `minus` is where its sign starts. */
  #member(minus?: number): SyntaxNode {
    let node = this.#primary(minus);
    const depth = this.#depth;
    for (;;) {
      const { start } = node;
      if (this.#accept(".")) {
        this.#goDeeper();
        this.#refuseOptional();
        node = this.#selection(node);
      } else if (this.#accept("[")) {
        this.#goDeeper();
        this.#refuseOptional();
        const key = this.#expression();
        this.#expect("]");
        node = this.#node({ kind: "element", start, end: this.#end, object: node, key });
      } else {
        this.#depth = depth;
        return node;
      }
    }
  }

  #refuseOptional(): void {
    if (this.#token.kind !== "?") return;
    throw this.#source.syntaxError(
      this.#token,
      "optional access is not needed: a missing field reads as null",
    );
  }

  /** A field or a method of `object`, behind the dot. */
  #selection(object: SyntaxNode): SyntaxNode {
    const { start } = object;
    const isQuoted = this.#token.kind === "quoted";
    const token = isQuoted ? this.#take() : this.#expect("name", "a name");
    const name = String(token.value);
    if (isQuoted || !this.#accept("(")) {
      return this.#node({ kind: "field", start, end: token.end, object, name });
    }
    const args = this.#items(")", MOST_ARGUMENTS, "arguments", () => this.#expression());
    return this.#node({ kind: "call", start, end: this.#end, name, receiver: object, args });
  }

  #primary(minus: number | undefined): SyntaxNode {
    const { start, end, kind, value } = this.#token;
    switch (kind) {
      case "literal":
        this.#take();
        return this.#literal({ start: minus ?? start, end }, value, minus !== undefined);
      case "name":
        return this.#name();
      case "(": {
        this.#take();
        const node = this.#expression();
        this.#expect(")");
        return node;
      }
      case "[": {
        this.#take();
        const items = this.#items("]", MOST_ITEMS, "items", () => this.#expression());
        return this.#node({ kind: "list", start, end: this.#end, items });
      }
      case "{": {
        this.#take();
        const entries = this.#items("}", MOST_ITEMS, "entries", () => this.#entry());
        return this.#node({ kind: "map", start, end: this.#end, entries });
      }
      default:
        throw this.#unexpected();
    }
  }

  #literal(range: { start: number; end: number }, written: unknown, negative: boolean): SyntaxNode {
    const value = typeof written === "bigint" && negative ? -written : written;
    if (typeof value === "bigint" && BigInt.asIntN(64, value) !== value) {
      throw this.#source.syntaxError(range, "the integer is beyond 64 bits");
    }
    return this.#node({ kind: "literal", ...range, value });
  }

  #name(): SyntaxNode {
    const { start, end, value } = this.#take();
    const name = String(value);
    if (RESERVED.has(name)) {
      throw this.#source.syntaxError({ start, end }, `"${name}" is a reserved word`);
    }
    if (!this.#accept("(")) return this.#node({ kind: "name", start, end, name });
    const args = this.#items(")", MOST_ARGUMENTS, "arguments", () => this.#expression());
    return this.#node({ kind: "call", start, end: this.#end, name, args });
  }

  #entry(): Entry {
    const key = this.#expression();
    this.#expect(":");
    return { key, value: this.#expression() };
  }

  /** What commas separate, up to the closing bracket. A comma may follow the last. */
  #items<T>(closing: TokenKind, most: number, what: string, parse: () => T): T[] {
    const items: T[] = [];
    while (this.#token.kind !== closing) {
      if (items.length === most) {
        throw this.#source.syntaxError(this.#token, `there are more than ${most} ${what}`);
      }
      items.push(parse());
      if (!this.#accept(",")) break;
    }
    this.#expect(closing);
    return items;
  }
}
