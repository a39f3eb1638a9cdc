/** What the blocks of a configuration are read with. */
import type { Complaint, ConnectorType } from "../connector.ts";
import type { ConnectorModel } from "../model.ts";
import type { Block, Span } from "./tree.ts";

/** The surroundings of every block. */
export interface Loading {
  readonly types: Readonly<Record<string, ConnectorType>>;
  readonly env: (name: string) => string | undefined;
  readonly connectors: ReadonlyMap<string, ConnectorModel>;
  /** Whether a connector may stand in a file that cannot be read. */
  mayExist(connector: string): boolean;
  report(span: Span, message: string, hint?: string): void;
}

/** Turns what a connector type has to say about a block into problems. */
export function complain(
  block: Block,
  subject: string,
  complaints: readonly Complaint[],
  report: Loading["report"],
): void {
  for (const { attribute, message, hint } of complaints) {
    const found = block.body.attributes.find((a) => a.name === attribute);
    report(found?.valueSpan ?? block.headerSpan, `${subject} ${message}`, hint);
  }
}
