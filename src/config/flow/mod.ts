/** One `flow` block → its model. */
import { expressions } from "../../contract/expression-fields.ts";
import type { DestinationModel, FlowModel, RejectModel } from "../../model/mod.ts";
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
import { DestinationNames, isRead } from "./destination-names.ts";
import { errorHandlingField } from "./error-handling.ts";
import { rejectsField } from "./reject.ts";
import { acceptField, dedupeField, validateField } from "./rules.ts";
import { type Origin, originOf, readSource, sourceFields } from "./source.ts";
import { stepsField } from "./request.ts";
import { transformField } from "./transform.ts";

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
      variables: ["payload", ...RESULTS],
    }),
    error_handling: errorHandlingField(events, loading),
  } satisfies Fields;
}

/** What users look for in a flow, and where it is. */
const ELSEWHERE = new Map([
  [
    "rate_limit",
    "a connector has it, for each of its clients; for one flow, use dedupe with a short ttl",
  ],
]);

/** What a `response` reads of the destinations' results. */
const RESULTS = ["output", "outputs", "results"];

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
  const model = readSource(values, subject, loading);
  const resultUsed = values.response === undefined
    ? source !== "schedule" && source?.definition.source?.kind === "requests"
    : values.response.some(([, { variables }]) => RESULTS.some((name) => variables.has(name)));
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
    to: resultUsed
      ? values.to.map((to) => ({ ...to, resultUsed }))
      : usedByRejects(values.to, values.reject),
    response: values.response,
    errorHandling: values.error_handling,
  };
}

/** The destinations, some of whose results are used by a `reject` after them. */
function usedByRejects(
  to: readonly DestinationModel[],
  rejects: readonly RejectModel[],
): readonly DestinationModel[] {
  // One without a `when` has been reported.
  const late = rejects.filter(({ delivered, when }) => delivered > 0 && when !== undefined);
  return late.length === 0 ? to : to.map((one, place) => {
    const after = late.filter(({ delivered }) => delivered > place);
    return isRead(one, after.map(({ when }) => when.paths)) ? { ...one, resultUsed: true } : one;
  });
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

/** What to do about `transform`, and about `match` where the events of the source have none. */
function hintsOf(source: Origin["source"]): ReadContext["hints"] {
  const hints = { transform: 'only the "use" of a transform block names a transform' };
  if (typeof source !== "object" || source.definition.source?.matchNames === undefined) {
    return hints;
  }
  return {
    ...hints,
    match: `it needs a pattern with a name, such as {id}, in connector "${source.name}", ` +
      "and events that can match it",
  };
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
