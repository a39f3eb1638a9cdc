/** `step` blocks: what a flow asks connectors before it goes on. */
import type { StepModel } from "../../model/mod.ts";
import { type Field, nameBlocks } from "../../contract/fields.ts";
import { stepFields, type StepNames } from "../../contract/step-fields.ts";
import type { Loading } from "../loading.ts";
import { readRequest } from "./request.ts";

/** The `step` blocks, each of which sees the results of those before it. */
export function stepsField(names: StepNames, loading: Loading): Field<readonly StepModel[]> {
  return {
    kind: "block",
    about: "Asks a connector; its result is `step.NAME`. Steps run in the order written.",
    type: "blocks",
    required: false,
    fields: stepFields,
    read(body, kind, _owner, context) {
      const { subject, report } = context;
      const blocks = body.blocks.filter((b) => b.type === kind);
      return nameBlocks(blocks, kind, `${subject}: `, report).map(([name, block]) => {
        const inner = { ...context, subject: `${subject}, step "${name}"` };
        const { values, request, places } = readRequest(block, stepFields, "step", inner, loading);
        loading.onRequest?.({ kind: "step", subject: inner.subject, request, places });
        names.add(name);
        const { params, timeout, on_error: onError } = values;
        return { ...request, name, params, timeout, onError, default: values.default ?? null };
      });
    },
  };
}
