/** The names of destinations: the result of `to "NAME"` is `results.NAME` from the next one on. */
import type { ReadContext } from "../../contract/fields.ts";
import { EarlierNames } from "../../contract/step-fields.ts";
import { type Block, positionOf, type Report } from "../../hcl/tree.ts";
import type { DestinationModel } from "../../model/mod.ts";

/** The names of destinations that an expression may use. */
export class DestinationNames extends EarlierNames {
  /** `subject` is the flow. */
  constructor(subject: string, report: Report) {
    const kind = {
      variable: "results",
      block: "destination",
      code: "unknown-destination",
    } as const;
    super(kind, subject, report);
  }
}

/** A block and its name, which it may do without. */
export type MaybeNamed = readonly [name: string | undefined, block: Block];

/** The names of blocks that need none; reports those that cannot be a name. */
export function nameDestinations(
  blocks: readonly Block[],
  kind: string,
  names: DestinationNames,
  { subject, report }: ReadContext,
): readonly MaybeNamed[] {
  const first = new Map<string, Block>();
  return blocks.map((block): MaybeNamed => {
    const [label, ...more] = block.labels;
    if (label === undefined) return [undefined, block];
    const name = label.text;
    for (const { span } of more) {
      const message = `${subject}: ${kind} "${name}" has a second name`;
      report({ code: "unexpected-label", span, message });
    }
    if (name === "") {
      const message = `${subject}: the name of a ${kind} is empty`;
      const hint = `write it as ${kind} "name" { … }, or leave the name out`;
      report({ code: "missing-name", span: label.span, message, hint });
      names.addUnread();
      return [undefined, block];
    }
    const other = first.get(name);
    if (other !== undefined) {
      const { file, line } = positionOf(other.headerSpan);
      const message = `${subject}: there is a second ${kind} "${name}"`;
      const hint = `the first is at ${file}:${line}`;
      report({ code: "duplicate-name", span: block.headerSpan, message, hint });
      return [undefined, block];
    }
    first.set(name, block);
    return [name, block];
  });
}

/** What the expressions of one destination read of the results of others. */
export type ResultPaths = ReadonlySet<string>;

/** Whether a destination's result is read by one after it. `readers` has what those read. */
export function isRead({ name }: DestinationModel, readers: readonly ResultPaths[]): boolean {
  return readers.some((paths) =>
    [...paths].some((path) => {
      const [variable, result] = path.split(".");
      return variable === "outputs" ||
        (variable === "results" && name !== undefined && (result ?? name) === name);
    })
  );
}
