/** `error_handling` blocks: what happens when something fails. */
import { expression, expressions } from "../../contract/expression-fields.ts";
import type { ErrorHandlingModel, ErrorResponseModel, RetryModel } from "../../model/mod.ts";
import {
  attribute,
  block,
  blocks,
  type Field,
  type Fields,
  findBlocks,
  type ReadContext,
  readFields,
  type Values,
} from "../../contract/fields.ts";
import { duration, integer, oneOf } from "../../contract/value-schema.ts";
import { placesOf } from "../../contract/places.ts";
import type { Loading } from "../loading.ts";
import { type EventSource, whyNoStatus } from "./answers.ts";
import { fallbackField } from "./destination.ts";

/** The attributes of a `retry` block. */
export const retryFields = {
  attempts: attribute(integer({ min: 1, max: 1000 }), {
    about: "How often the destinations are tried in all.",
    default: 1,
  }),
  delay: attribute(duration(), { about: "The time before the second try.", default: "1s" }),
  max_delay: attribute(duration(), { about: "The longest time before a try.", default: "30s" }),
  backoff: attribute(oneOf(["constant", "linear", "exponential"]), {
    about: "How the time grows: not, by `delay` each time, or by doubling.",
    default: "constant",
  }),
} satisfies Fields;

/** The attributes of an `error_response` block. */
export const errorResponseFields = {
  when: expression({
    about: "True: it is the answer; always where it is left out.",
    variables: ["error"],
  }),
  status: attribute(integer({ min: 400, max: 599 }), {
    about: "The HTTP status, for REST and for `connect`; by default as the error's code says.",
  }),
  body: expressions({
    about:
      "What a REST caller gets, or a client as `details`. `error` has code, message, step, ref, " +
      "details; status and body where an API has answered so.",
    variables: ["error"],
  }),
} satisfies Fields;

/** Without a block: one try, no fallback, the error itself for the caller. */
const NO_RETRY: RetryModel = { attempts: 1, delay: 1000, maxDelay: 30_000, backoff: "constant" };

/** The `error_handling` block. */
export function errorHandlingField(
  events: EventSource,
  loading: Loading,
): Field<ErrorHandlingModel> {
  const fields = {
    retry: block(retryFields, {
      about: "Tries the destinations again, but never what cannot succeed.",
    }),
    fallback: fallbackField(loading),
    error_response: errorResponsesField(events),
  };
  return {
    kind: "block",
    about: "What happens when something fails.",
    required: false,
    type: "block",
    fields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) {
        return { retry: NO_RETRY, fallback: undefined, errorResponses: [] };
      }
      const inner = { ...context, subject: `${context.subject}, ${name}` };
      const values = readFields(found.body, fields, found.headerSpan, inner);
      const { attempts, delay, max_delay: maxDelay, backoff } = values.retry ??
        { ...NO_RETRY, max_delay: NO_RETRY.maxDelay };
      return {
        retry: { attempts, delay, maxDelay, backoff },
        fallback: values.fallback,
        errorResponses: values.error_response,
      };
    },
  };
}

function errorResponsesField(events: EventSource): Field<readonly ErrorResponseModel[]> {
  const plain = blocks(errorResponseFields, {
    about: "What the caller gets instead of the error: the first whose `when` is true.",
  });
  return {
    ...plain,
    read(body, name, owner, context) {
      const all = plain.read(body, name, owner, context);
      for (const values of all) checkErrorResponse(values, name, events, context);
      const last = all.findIndex((values) => {
        const places = placesOf(values);
        return !places.has("when") && !places.misspelled.has("when");
      });
      for (const values of last < 0 ? [] : all.slice(last + 1)) {
        const message = `${context.subject}, ${name} is never used: one before it has no "when"`;
        const hint = "put the one without it last";
        const span = placesOf(values).header;
        context.report({ code: "unreachable-block", span, message, hint });
      }
      return all;
    },
  };
}

/** Whether somebody gets the answer, and whether it says anything. */
function checkErrorResponse(
  values: Values<typeof errorResponseFields>,
  name: string,
  events: EventSource,
  { subject, report }: ReadContext,
): void {
  const { source } = events;
  const places = placesOf(values);
  const kind = source === "schedule" ? undefined : source?.definition.source?.kind;
  if (source !== undefined && kind !== "clients" && kind !== "requests") {
    const message = `${subject}: an error_response has no receiver here`;
    const hint = "only clients and REST callers get answers";
    report({ code: "no-caller", span: places.header, message, hint });
  } else if (places.has("status")) {
    const reason = whyNoStatus(events);
    const message = `${subject}, ${name} takes no status: ${reason}`;
    const span = places.of("status");
    if (reason !== undefined) report({ code: "unused-attribute", span, message });
  }
  if (places.isEmpty) {
    const message = `${subject}, ${name} says nothing`;
    const hint = "add a body or a status";
    report({ code: "empty-block", span: places.header, message, hint });
  }
}
