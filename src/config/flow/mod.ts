/** One `flow` block → its model. */
import { expressions } from "../../contract/expression-fields.ts";
import type { FlowModel } from "../../model/mod.ts";
import {
  attribute,
  type Fields,
  hasName,
  type ReadContext,
  readFields,
} from "../../contract/fields.ts";
import { checkMatch, type MatchNames } from "../../contract/match-names.ts";
import { misspelledOf } from "../../contract/places.ts";
import { StepNames } from "../../contract/step-fields.ts";
import { duration } from "../../contract/value-schema.ts";
import type { Loading } from "../loading.ts";
import type { Block, Body } from "../../hcl/tree.ts";
import type { EventSource } from "./answers.ts";
import { destinationsField } from "./destination.ts";
import { DestinationNames } from "./destination-names.ts";
import { errorHandlingField } from "./error-handling.ts";
import { ELSEWHERE, hintsOf } from "./hints.ts";
import { refuseSharedSteps } from "./shared-steps.ts";
import { rejectsField } from "./reject.ts";
import { acceptField, dedupeField, validateField } from "./rules.ts";
import { type Origin, originOf, readSource, sourceFields } from "./source.ts";
import { stepsField } from "./request.ts";
import { transformField } from "./transform.ts";
import { markUsed } from "./used-results.ts";

/** What the blocks of one flow are read with. */
export interface FlowSurroundings {
  /** The name of the flow. */
  readonly name: string;
  readonly loading: Loading;
  readonly events: EventSource;
  /** The steps that expressions may use so far. */
  readonly steps: StepNames;
  /** The named destinations whose results expressions may use so far. */
  readonly results: DestinationNames;
}

/** The attributes and blocks of a flow, in the order in which they act: a step is known from its place on. */
export function flowFields({ name, loading, events, steps, results }: FlowSurroundings) {
  return {
    ...sourceFields,
    timeout: attribute(duration(), {
      about: "How long one run may take, retries included.",
      default: "30s",
    }),
    accept: acceptField(events, steps, loading),
    validate: validateField(loading),
    step: stepsField(steps, loading),
    transform: transformField(
      "What goes on, line by line; without it the payload as it came. " +
        '`use = "transform.NAME"` starts from a transform at the top level; ' +
        "with `extend = true` the lines are added to the payload.",
      loading,
    ),
    dedupe: dedupeField(loading),
    to: destinationsField(results, loading),
    reject: rejectsField(name, events, steps, results),
    response: expressions({
      about: "What the sender is answered.",
      variables: ["payload", "output", "outputs", "results"],
    }),
    error_handling: errorHandlingField(events, loading),
  } satisfies Fields;
}

/** Reads a flow; undefined where it has problems, which have been reported. */
export function readFlow(name: string, found: Block, loading: Loading): FlowModel | undefined {
  const subject = `flow "${name}"`;
  const { env, now, randomBytes, constants, report, onExpression } = loading;
  const { body } = found;
  const steps = new StepNames(subject, report);
  const { source, operation, hasClient, hasConnections, matchNames } = originOf(found, loading);
  const matched = matchedIn(source, matchNames, subject);
  const results = new DestinationNames(subject, report);
  const events = { source, operation, refuses: refusesEarly(body) };
  const fields = flowFields({ name, loading, events, steps, results });
  const hidden = hidesSteps(body, fields);
  if (hidden) steps.addUnread();
  if (misspelledOf(body, fields).has("to")) results.addUnread();
  const context: ReadContext = {
    subject,
    variables: [
      ...["input", "constants"],
      ...(hasClient ? ["client"] : []),
      ...(matchNames?.length === 0 ? [] : ["match"]),
      ...(hasSteps(body) || hidden ? ["step"] : []),
    ],
    hints: hintsOf(source),
    fromClient: hasConnections,
    env,
    now,
    randomBytes,
    constants,
    report,
    onExpression(expression, span) {
      steps.check(expression, span);
      results.check(expression, span);
      checkMatch(expression, span, matched, report);
      onExpression?.(name, expression, span);
    },
  };
  const values = readFields(body, fields, found.headerSpan, context, ELSEWHERE);
  refuseSharedSteps(body, subject, report);
  const model = readSource(values, subject, loading);
  const answersFirst = source !== "schedule" && source?.definition.source?.kind === "requests";
  return model && {
    name,
    source: model,
    timeout: values.timeout,
    accept: values.accept,
    validate: values.validate,
    steps: values.step,
    rejects: values.reject,
    transform: values.transform,
    dedupe: values.dedupe,
    to: markUsed(values.to, { rejects: values.reject, response: values.response, answersFirst }),
    response: values.response,
    errorHandling: values.error_handling,
  };
}

/** Whether it has an `accept`, or a `reject` above its destinations. */
function refusesEarly({ blocks }: Body): boolean {
  const first = blocks.findIndex(({ type }) => type === "to");
  return blocks.some(({ type }, place) =>
    type === "accept" || (type === "reject" && (first < 0 || place < first))
  );
}

/** The names of the source's patterns. */
function matchedIn(
  source: Origin["source"],
  names: readonly string[] | undefined,
  subject: string,
): MatchNames {
  const owner = typeof source === "object" ? ` of connector "${source.name}"` : "";
  return { names, lacking: (name) => `${subject}: no pattern${owner} has the name "${name}"` };
}

function hasSteps({ blocks }: Body): boolean {
  return blocks.some(({ type, body }) => type === "step" || (type === "accept" && hasSteps(body)));
}

/** Whether a step of a block cannot be read, so that not all results are known. */
function hidesSteps(body: Body, fields: Fields): boolean {
  const misspelled = misspelledOf(body, fields);
  return misspelled.has("step") || misspelled.has("accept") ||
    body.blocks.some((block) =>
      block.type === "step"
        ? !hasName(block)
        : block.type === "accept" && hidesSteps(block.body, fields.accept.fields ?? {})
    );
}
