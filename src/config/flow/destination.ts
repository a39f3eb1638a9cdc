/** `to` and `fallback` blocks: where a flow's payload goes. */
import type { DestinationModel, FallbackModel } from "../../model/mod.ts";
import {
  attribute,
  type Field,
  type Fields,
  findBlocks,
  type ReadContext,
} from "../../contract/fields.ts";
import { requestFields } from "../../contract/step-fields.ts";
import { flag } from "../../contract/value-schema.ts";
import type { Loading } from "../loading.ts";
import { readRequest } from "./request.ts";
import { transformField } from "./transform.ts";

/** The attributes of every destination. */
function destinationFields(loading: Loading) {
  return {
    ...requestFields,
    transform: transformField(
      "What this destination gets instead of the payload, line by line.",
      loading,
    ),
  } satisfies Fields;
}

/** The `to` blocks. */
export function destinationsField(loading: Loading): Field<readonly DestinationModel[]> {
  const fields = {
    ...destinationFields(loading),
    parallel: attribute(flag(), {
      about: "Runs together with neighbours that say so, too.",
      default: false,
    }),
  };
  return {
    kind: "block",
    about: "A destination; several run in the order written. Its connector adds attributes.",
    type: "blocks",
    required: false,
    fields,
    read: (body, name, _owner, context) =>
      findBlocks(body, name, Infinity, context).map((found) => {
        const inner = within(context, name, []);
        const { values, request, creates } = readRequest(
          found,
          fields,
          "destination",
          inner,
          loading,
        );
        const { transform, parallel } = values;
        return { ...request, transform, parallel, creates };
      }),
  };
}

/** The `fallback` block. */
export function fallbackField(loading: Loading): Field<FallbackModel | undefined> {
  const fields = {
    ...destinationFields(loading),
    include_error: attribute(flag(), {
      about: "Adds `error` to the payload: code, message, step, ref and details.",
      default: false,
    }),
  };
  return {
    kind: "block",
    about: "A destination that takes what failed for good; then the event counts as handled.",
    type: "block",
    required: false,
    fields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const inner = within(context, name, ["error"]);
      const { values, request, creates } = readRequest(
        found,
        fields,
        "destination",
        inner,
        loading,
      );
      const { transform, include_error: includeError } = values;
      return { ...request, transform, creates, parallel: false, includeError };
    },
  };
}

function within(context: ReadContext, name: string, more: readonly string[]): ReadContext {
  const variables = [...context.variables, "output", ...more];
  return { ...context, subject: `${context.subject}, ${name}`, variables };
}
