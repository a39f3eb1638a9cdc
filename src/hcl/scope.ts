/** What HCL values are evaluated with: the nodes of the syntax tree, their scope, failures and constants. */
import { didYouMean } from "../base/nearest.ts";
import type { Problem, ProblemCode } from "../base/problem.ts";
import { type Budget, extentOf, MAX_NESTING, MAX_VALUE } from "./limits.ts";
import { type Attribute, problemAt, type SourceFile, type Span } from "./tree.ts";

/** Evaluates a node; `item` is the nearest expression around it that could be put in quotes. */
export type EvaluateNode = (node: Node, scope: ValueScope, item?: Node) => Promise<unknown>;

/** A node of the syntax tree, as far as evaluation needs it. */
export interface Node {
  /** Such as `function`; empty for object keys and parentheses. */
  readonly type: string;
  /** Operands, items or arguments; keys and values in turn in an object. */
  readonly children: readonly Node[];
  /** Often the first token alone. */
  readonly range: ByteRange;
  /** Absent on object keys and parentheses. */
  readonly meta?: {
    /** The node's whole text as written. */
    readonly value: string;
    readonly type?: string;
    readonly name?: string;
    readonly nameRange?: ByteRange;
    /** hcl2json declares text and returns a boolean. */
    readonly expandedFinalArgument?: string | boolean;
    readonly operator?: string;
    readonly traversal?: readonly Step[];
  };
}

/** One step of `a.b["c"][0]`. */
export interface Step {
  /** `nameTraversal` or `indexTraversal`. */
  readonly type: string;
  /** The name, or the literal between the brackets. */
  readonly segment: string;
  /** Dot or brackets included. */
  readonly range: ByteRange;
}

/** A range in UTF-8 bytes. */
export interface ByteRange {
  /** Where it begins. */
  readonly start: { readonly byte: number };
  /** Where it ends, exclusive. */
  readonly end: { readonly byte: number };
}

/** Keeps texts from one start to the next. It may forget any of them at any time. */
export interface TextCache {
  /** The text of a key; undefined where there is none. Never rejects. */
  read(key: string): Promise<string | undefined>;
  /** Keeps a text for a key. Never rejects. */
  write(key: string, text: string): Promise<void>;
}

/** What values may ask for. */
export interface ReadOptions {
  /** The value of an environment variable; undefined or empty where it is not set. */
  readonly env: (name: string) => string | undefined;
  /** The text of a file; a relative path has been joined to the folder of its configuration. */
  readonly readFile: (path: string) => string | Promise<string>;
  /** What is known of texts that were read before. */
  readonly cache?: TextCache | undefined;
}

/** What the values of one attribute can see. */
export interface ValueScope extends ReadOptions {
  /** The file that holds the attribute. */
  readonly file: SourceFile;
  /** The block as problems name it, such as `connector "ws"`. */
  readonly owner: string;
  /** From a byte offset of the syntax tree to an offset of the file's text. */
  readonly offset: (byte: number) => number;
  /** The constants known so far. */
  readonly constants: Constants;
  /** What values may still take. */
  readonly budget: Budget;
  /** The text that the value is a part of, as written; undefined where it is none. */
  readonly template?: string | undefined;
  /** In a `type` block unknown calls and bare words stay as `Call`. */
  readonly keepCalls: boolean;
}

/** A value that cannot be evaluated, with all reasons; none where they have been reported before. */
export class ValueFailure extends Error {
  /** Tells it from other errors. */
  override readonly name = "ValueFailure";
  /** To be reported once, where the attribute is evaluated. */
  readonly problems: readonly Problem[];

  /** Keeps the problems. */
  constructor(problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join("; "));
    this.problems = problems;
  }
}

/** Throws the failure of one node. */
export function fail(
  scope: ValueScope,
  span: Span,
  code: ProblemCode,
  message: string,
  hint?: string,
): never {
  throw new ValueFailure([problemAt({ code, span, message: `${scope.owner}: ${message}`, hint })]);
}

/** Fails where the values of the configuration become too large with `size` more. */
export function spend(size: number, node: Node, scope: ValueScope): void {
  const isEnough = scope.budget.take(size);
  // It has been reported once.
  if (isEnough === undefined) throw new ValueFailure([]);
  if (isEnough) return;
  fail(
    scope,
    spanOf(node, scope),
    "too-large",
    "the values of the configuration exceed 64 MB",
  );
}

/** The value; fails where it is too large. */
export function limited<T>(value: T, node: Node, scope: ValueScope): T {
  const { size, nesting } = extentOf(value);
  if (size > MAX_VALUE) {
    fail(scope, spanOf(node, scope), "too-large", "the value has more than 16 MB");
  }
  if (nesting > MAX_NESTING) {
    const message = `the value has more than ${MAX_NESTING} lists and objects inside each other`;
    fail(scope, spanOf(node, scope), "too-large", message);
  }
  return value;
}

/** The place of a node: all of it if the syntax tree has it, else its first token. */
export function spanOf(node: Node, scope: ValueScope): Span {
  const { file } = scope;
  const start = scope.offset(node.range.start.byte);
  const written = node.meta?.value;
  // A quoted string's range begins behind its quote, or at the first thing that is put into it.
  if (written) {
    const earliest = Math.max(0, start - written.length);
    const near = file.text.slice(earliest, start + written.length);
    const found = near.lastIndexOf(written, start - earliest);
    const from = earliest + found;
    if (found >= 0) return { file, start: from, end: from + written.length };
  }
  return { file, start, end: scope.offset(node.range.end.byte) };
}

/** All constants of a configuration by name. */
export class Constants {
  /** True where a file that cannot be parsed may declare more of them. */
  readonly incomplete: boolean;
  readonly #places = new Map<string, Span>();
  readonly #evaluated = new Map<string, Attribute>();

  /** Starts with none. */
  constructor(incomplete: boolean) {
    this.incomplete = incomplete;
  }

  /** Adds a name. If the name exists, returns the place of the first one. */
  declare(name: string, place: Span): Span | undefined {
    const first = this.#places.get(name);
    if (first === undefined) this.#places.set(name, place);
    return first;
  }

  /** Sets what a declared constant is, or that it failed. */
  define(attribute: Attribute): void {
    this.#evaluated.set(attribute.name, attribute);
  }

  /** True for the name of any constant, evaluated or not. */
  has(name: string): boolean {
    return this.#places.has(name);
  }

  /** The constant; undefined as long as it has not been evaluated. */
  get(name: string): Attribute | undefined {
    return this.#evaluated.get(name);
  }

  /** The hint for a name that is not declared. */
  hint(name: string): string {
    return didYouMean(name, this.#places.keys()) ?? `add constants { ${name} = … }`;
  }

  /** The values of all that could be evaluated. */
  values(): Record<string, unknown> {
    const good = [...this.#evaluated.values()].filter((constant) => !constant.failed);
    // fromEntries defines properties, so that even "__proto__" is plain data.
    return Object.fromEntries(good.map(({ name, value }) => [name, value]));
  }
}

/** Whether a block may be one of constants whose kind is misspelled, so that it is none of `kinds`. */
export function mayHoldConstants(
  { type, labels }: { readonly type: string; readonly labels: readonly unknown[] },
  kinds: readonly string[] = [type],
): boolean {
  return !kinds.includes(type) && labels.length === 0;
}
