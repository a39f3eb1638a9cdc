/** What an expression can result in, as far as its text tells. */
import type { KnownValue, ValueKind } from "../base/known-value.ts";
import { NAMESPACES } from "./functions.ts";
import { isNumeric } from "./kinds.ts";
import { parse } from "./parser.ts";
import { pathOf } from "./paths.ts";
import { toPlain } from "./plain.ts";
import { Meter } from "./meter.ts";
import { Source } from "./source.ts";
import type { CallNode, SyntaxNode } from "./syntax.ts";

/** All values that one can have; undefined where it may be anything. */
type Results = readonly KnownValue[] | undefined;

/** What the result of each function is, unless it fails. */
const FUNCTIONS: Readonly<Record<string, readonly ValueKind[]>> = {
  ...results(
    ["boolean"],
    "bool contains startsWith endsWith matches has all exists exists_one existsOne " +
      "math.isFinite math.isInf math.isNaN sets.contains sets.equivalent sets.intersects",
  ),
  ...results(
    ["integer"],
    "len size indexOf lastIndexOf now_unix getFullYear getMonth getDate getDayOfMonth " +
      "getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds",
  ),
  ...results(["integer", "long"], "int uint"),
  ...results(["number"], "double math.sqrt"),
  ...results(
    ["text"],
    "string type lower upper lowerAscii upperAscii trim replace substring join charAt slug " +
      "format format_date format_number strings.quote to_json hex hash_sha256 hmac_sha256 " +
      "base64_encode base64.encode",
  ),
  ...results(["time"], "now timestamp"),
  ...results(["uuid"], "uuid"),
  ...results(["list"], "split flatten unique distinct sort sort_by pluck lists.range map filter"),
  ...results(["object"], "merge omit pick"),
};

const NUMBERS: ReadonlySet<ValueKind> = new Set(["integer", "number", "long"]);
const TEXTS: ReadonlySet<ValueKind> = new Set(["text", "email", "url", "uuid", "ip", "date"]);

/**
 * All values that an expression can result in where it does not fail; undefined where it may be
 * anything. `known` tells the same of a path such as `input.text`.
 */
export function resultsOf(
  { source, variables }: { readonly source: string; readonly variables: ReadonlySet<string> },
  known: (path: string) => Results,
): Results {
  const roots = new Map([...variables].map((name) => [name, name]));
  const of = (node: SyntaxNode): Results => {
    switch (node.kind) {
      case "literal":
        return [literal(node.value)];
      case "list":
        return [{ kind: "list" }];
      case "map":
        return [{ kind: "object" }];
      case "logical":
        return [{ kind: "boolean" }];
      case "conditional":
        return together([of(node.yes), of(node.no)]);
      case "unary":
        return node.operator === "!" ? [{ kind: "boolean" }] : arithmetic([of(node.operand)]);
      case "binary":
        if (node.operator === "+") return sum(of(node.left), of(node.right));
        return "-*/%".includes(node.operator)
          ? arithmetic([of(node.left), of(node.right)])
          : [{ kind: "boolean" }];
      case "call":
        return ofCall(node, of);
      default: {
        const path = pathOf(node, roots);
        return path === undefined ? undefined : known(path);
      }
    }
  };
  return of(parse(new Source(source)));
}

function literal(written: unknown): KnownValue {
  const value = toPlain(new Meter(), written);
  return typeof value === "string" && isNumeric(written) ? { kind: "long" } : { value };
}

function ofCall(node: CallNode, of: (node: SyntaxNode) => Results): Results {
  const { receiver, args } = node;
  const isNamespace = receiver?.kind === "name" && NAMESPACES.has(receiver.name);
  const name = isNamespace ? `${receiver.name}.${node.name}` : node.name;
  if (name === "default" || name === "coalesce") {
    return together([...receiver === undefined ? [] : [receiver], ...args].map(of));
  }
  return Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name].map((kind) => ({ kind })) : undefined;
}

function together(parts: readonly Results[]): Results {
  return parts.every((part) => part !== undefined) ? parts.flat() : undefined;
}

/** Texts are joined with numbers and times, and lists with lists. */
function sum(left: Results, right: Results): Results {
  if (isOf(left, TEXTS) || isOf(right, TEXTS)) return [{ kind: "text" }];
  if (isOf(left, LISTS) || isOf(right, LISTS)) return [{ kind: "list" }];
  return arithmetic([left, right]);
}

const LISTS: ReadonlySet<ValueKind> = new Set(["list"]);

function arithmetic(operands: readonly Results[]): Results {
  if (!operands.every((operand) => isOf(operand, NUMBERS))) return undefined;
  return [{ kind: "number" }, { kind: "long" }];
}

function isOf(results: Results, kinds: ReadonlySet<ValueKind>): boolean {
  return results?.every((result) =>
    kinds.has("kind" in result ? result.kind : kindOf(result.value))
  ) ??
    false;
}

function kindOf(value: unknown): ValueKind {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "number";
  return typeof value === "boolean" ? "boolean" : Array.isArray(value) ? "list" : "object";
}

function results(
  kinds: readonly ValueKind[],
  names: string,
): Readonly<Record<string, readonly ValueKind[]>> {
  return Object.fromEntries(names.split(" ").map((name) => [name, kinds]));
}
