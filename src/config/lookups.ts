/** `step` blocks of a connector: what it asks other connectors outside of any flow. */
import type { LookupModel } from "../model/mod.ts";
import { hasName, nameBlocks, type ReadContext } from "../contract/fields.ts";
import { lookupFields, StepNames } from "../contract/step-fields.ts";
import { readRequest } from "./flow/request.ts";
import type { Loading } from "./loading.ts";
import type { Body } from "../hcl/tree.ts";

/** The look-ups of one connector. They can name any connector, so they are read when all have been. */
export class LookupReader {
  /** All of them, once they have been read. */
  readonly found: LookupModel[] = [];
  readonly #waiting: ((loading: Loading) => void)[] = [];

  /** Reads the blocks of one body later; the list is filled then. */
  readonly defer = (body: Body, kind: string, context: ReadContext): readonly LookupModel[] => {
    const models: LookupModel[] = [];
    this.#waiting.push((loading) => {
      models.push(...readLookups(body, kind, context, loading));
      this.found.push(...models);
    });
    return models;
  };

  /** Reads what has waited; all connectors are known. */
  read(loading: Loading): void {
    for (const act of this.#waiting.splice(0)) act(loading);
  }
}

function readLookups(
  body: Body,
  kind: string,
  context: ReadContext,
  loading: Loading,
): readonly LookupModel[] {
  const { subject, report } = context;
  const names = new StepNames(subject, report);
  const blocks = body.blocks.filter((b) => b.type === kind);
  if (!blocks.every(hasName)) names.addUnread();
  return nameBlocks(blocks, kind, `${subject}: `, report).map(([name, block]) => {
    const inner: ReadContext = {
      ...context,
      subject: `${subject}, step "${name}"`,
      onExpression(expression, span) {
        names.check(expression, span);
        context.onExpression?.(expression, span);
      },
    };
    const { values, request } = readRequest(block, lookupFields, "step", inner, loading);
    names.add(name);
    const { params, timeout, on_error: onError, cache } = values;
    return { ...request, name, params, timeout, onError, default: values.default ?? null, cache };
  });
}
