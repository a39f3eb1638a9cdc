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
        const read = readRequest(found, fields, "destination", inner, loading);
        const { values: { transform, parallel }, creates, places } = read;
        const request = { ...read.request, transform, parallel, creates };
        loading.onRequest?.({ kind: "to", subject: inner.subject, request, places });
        return request;
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
      const read = readRequest(found, fields, "destination", inner, loading);
      const { values: { transform, include_error: includeError }, creates, places } = read;
      const request = { ...read.request, transform, creates, parallel: false, includeError };
      loading.onRequest?.({ kind: "fallback", subject: inner.subject, request, places });
      return request;
    },
  };
}

function within(context: ReadContext, name: string, more: readonly string[]): ReadContext {
  const variables = [...context.variables, "output", ...more];
  return { ...context, subject: `${context.subject}, ${name}`, variables };
}
