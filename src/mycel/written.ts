/** What is written in a configuration, by its position in the files. */
import type { Problem } from "../base/problem.ts";
import { type Attribute, type Block, type Body, positionOf, type Span } from "../hcl/tree.ts";

/** A name or a value of a configuration. */
export interface Written {
  /** The types of the blocks around it, such as `flow, from`. */
  readonly place: string;
  /** As in the tables: `format` or `cors {}`. */
  readonly name: string;
  /** Only where it is the value of the attribute. */
  readonly value?: unknown;
  /** The position of the block that it is in; empty outside of all blocks. */
  readonly block: string;
  /** Whether it is a connector without a type, but with profiles. */
  readonly isProfiled?: boolean;
}

/** The place outside of all blocks. */
const TOP = "top level";

/** Everything that is written in a tree, by `positionKey`. */
export function writtenIn(body: Body): ReadonlyMap<string, Written> {
  const written = new Map<string, Written>();
  const note = (span: Span, what: Written) => void written.set(keyOf(span), what);
  const visit = ({ attributes, blocks }: Body, place: string, block: string): void => {
    for (const { name, nameSpan, value, valueSpan } of attributes) {
      note(nameSpan, { place, name, block });
      note(valueSpan, { place, name, block, value });
    }
    for (const inner of blocks) {
      const { type, typeSpan, body } = inner;
      note(typeSpan, { place, name: `${type} {}`, block, isProfiled: isProfiled(inner) });
      const own = type === "connector" ? `connector ${typeOf(body.attributes)}` : type;
      visit(body, place === TOP ? own : `${place}, ${type}`, keyOf(typeSpan));
    }
  };
  visit(body, TOP, "");
  return written;
}

/** The position of a problem, as a key. */
export function positionKey(
  { file, line, column }: Pick<Problem, "file" | "line" | "column">,
): string {
  return `${line}:${column}:${file}`;
}

function keyOf(span: Span): string {
  return positionKey(positionOf(span));
}

function isProfiled({ type, body: { attributes, blocks } }: Block): boolean {
  return type === "connector" && typeOf(attributes) === "" &&
    blocks.some((inner) => inner.type === "profile");
}

function typeOf(attributes: readonly Attribute[]): string {
  const type = attributes.find(({ name }) => name === "type")?.value;
  return typeof type === "string" ? type : "";
}
