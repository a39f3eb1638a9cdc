/** What the blocks of a configuration are read with. */
import type { Complaint, ConnectorType } from "../contract/definition.ts";
import type { Expression } from "../expression/mod.ts";
import type { ConnectorModel, NamedExpression } from "../model/mod.ts";
import { didYouMean } from "../base/nearest.ts";
import type { DataType } from "../type/mod.ts";
import type { Declared } from "./declared.ts";
import type { Block, Span } from "../hcl/tree.ts";

/** Takes a problem: an error unless it is called a warning. */
export type Report = (
  span: Span,
  message: string,
  hint?: string,
  severity?: "error" | "warning",
) => void;

/** The surroundings of every block. */
export interface Loading {
  readonly types: Readonly<Record<string, ConnectorType>>;
  readonly env: (name: string) => string | undefined;
  readonly now: (() => number) | undefined;
  /** The names that `constants` has; undefined where a file that cannot be read may have more. */
  readonly constants: readonly string[] | undefined;
  readonly connectors: ReadonlyMap<string, ConnectorModel>;
  /** The `type` blocks. */
  readonly dataTypes: ReadonlyMap<string, DataType>;
  /** The `transform` blocks at the top level. */
  readonly transforms: ReadonlyMap<string, readonly NamedExpression[]>;
  /** What may be there although it could not be read. */
  readonly declared: Pick<Declared, "mayExist" | "mayExceed">;
  readonly report: Report;
  /** Is told of every expression of a flow, and where it stands. */
  readonly onExpression?: (flow: string, expression: Expression, span: Span) => void;
}

/** Turns what a connector type has to say about a block into problems. */
export function complain(
  block: Block,
  subject: string,
  complaints: readonly Complaint[],
  report: Report,
): void {
  for (const { attribute, label, message, hint, severity } of complaints) {
    const found = block.body.attributes.find((a) => a.name === attribute)?.valueSpan ??
      block.body.blocks.find(({ type, labels }) =>
        type === attribute && (label === undefined || labels[0]?.text === label)
      )?.headerSpan;
    report(found ?? block.headerSpan, `${subject} ${message}`, hint, severity);
  }
}

/** Gives what has a name; reports a name that nothing has. */
export function findNamed<T>(
  kind: string,
  name: string,
  all: ReadonlyMap<string, T>,
  place: { readonly span: Span; readonly subject: string },
  { declared, report }: Pick<Loading, "declared" | "report">,
): T | undefined {
  const found = all.get(name);
  if (found !== undefined || declared.mayExist(kind, name)) return found;
  const message = `${place.subject}: there is no ${kind} "${name}"`;
  report(place.span, message, didYouMean(name, all.keys()));
  return undefined;
}
