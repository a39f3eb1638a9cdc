/** Records what the tests of a configuration have gone through, and what not. */
import type { Decision, DecisionPart } from "../model/decision.ts";
import type { AcceptModel, FlowModel, Model, StepModel } from "../model/mod.ts";
import type { TestPlace } from "../model/test.ts";
import { amend } from "./amend.ts";

type Condition = AcceptModel["when"];
type DataType = NonNullable<FlowModel["validate"]["input"]>;

/** How many of how many were seen. */
export interface Share {
  /** Those that a test went through. */
  readonly seen: number;
  /** All there are. */
  readonly all: number;
}

/** What the tests went through. */
export interface CoverageResult {
  /** Flows that have taken an event. */
  readonly flows: Share;
  /** Ways that a flow can go: each condition both ways, each refusal and each handling of an error. */
  readonly branches: Share;
  /** Rules of rooms: somebody has joined, and somebody was refused if the rule can refuse. */
  readonly rooms: Share;
  /** What no test went through, in the order written. */
  readonly missing: readonly Missing[];
}

/** Something that no test went through. */
export interface Missing {
  /** The place of its block or attribute. */
  readonly place: TestPlace;
  /** One sentence. */
  readonly message: string;
}

/** What a decision can turn out as: `true` where a condition held, something was refused or used. */
interface Outcome {
  readonly value: boolean;
  /** What is reported if it was never seen. */
  readonly unseen: string;
}

const BOTH: readonly Outcome[] = [
  { value: true, unseen: "when was never true" },
  { value: false, unseen: "when was never false" },
];
const SKIPPED: readonly Outcome[] = [{ value: true, unseen: "has skipped no failure" }];
const USED: readonly Outcome[] = [{ value: true, unseen: "was never used" }];
const REFUSED: readonly Outcome[] = [{ value: true, unseen: "has refused nothing" }];

const OUTCOMES: Readonly<Record<DecisionPart, readonly Outcome[]>> = {
  flow: [{ value: true, unseen: "no test goes through it" }],
  filter: [{ value: false, unseen: "was never false" }],
  accept: [{ value: false, unseen: "has refused nothing" }],
  "accept step": BOTH,
  "accept skip": SKIPPED,
  "validate.input": REFUSED,
  "validate.output": REFUSED,
  step: BOTH,
  skip: SKIPPED,
  reject: REFUSED,
  dedupe: [{ value: true, unseen: "has met no repeated event" }],
  to: BOTH,
  fallback: [...USED, { value: false, unseen: "when was never false" }],
  error_response: USED,
  rule: [
    { value: true, unseen: "nobody has joined" },
    { value: false, unseen: "nobody was refused" },
  ],
};

/** The decisions of one configuration, and how they turned out in its tests. */
export class Coverage {
  readonly #decisions: readonly Decision[];
  readonly #seen = new Set<string>();

  /** Nothing has been seen yet. */
  constructor({ source }: Model) {
    this.#decisions = source.decisions();
  }

  /** The same model, whose decisions are recorded. */
  watch(model: Model): Model {
    return { ...model, flows: model.flows.map((flow) => this.#watchFlow(flow)) };
  }

  /** A flow takes an event. */
  ran(flow: string): void {
    this.#see(flow, "flow", 0, true);
  }

  /** A rule of a connector has let somebody in, or has not. */
  decided(connector: string, rule: string, enters: boolean): void {
    this.#see(connector, "rule", rule, enters);
  }

  /** What has been seen so far. */
  get result(): CoverageResult {
    const all = this.#decisions.flatMap((decision) => {
      const { part, conditional } = decision;
      const outcomes = OUTCOMES[part].filter(({ value }) => value || conditional);
      return outcomes.map(({ value, unseen }) => ({
        decision,
        unseen,
        seen: this.#seen.has(keyOf(decision.owner, part, decision.key, value)),
      }));
    });
    const share = (belongs: (part: DecisionPart) => boolean): Share => {
      const some = all.filter(({ decision: { part } }) => belongs(part));
      return { seen: some.filter(({ seen }) => seen).length, all: some.length };
    };
    const isIdle = (flow: string) => !this.#seen.has(keyOf(flow, "flow", 0, true));
    const missing = all.filter(({ seen, decision: { owner, part } }) =>
      // Of a flow that never ran, nothing else needs to be said.
      !seen && (part === "flow" || part === "rule" || !isIdle(owner))
    );
    return {
      flows: share((part) => part === "flow"),
      branches: share((part) => part !== "flow" && part !== "rule"),
      rooms: share((part) => part === "rule"),
      missing: missing.map(({ decision: { subject, part, place }, unseen }) => ({
        place,
        message: `${subject}${part === "flow" || part === "rule" ? ":" : ""} ${unseen}`,
      })),
    };
  }

  #watchFlow(flow: FlowModel): FlowModel {
    const { name, source, accept, validate, steps, rejects, dedupe, to, errorHandling } = flow;
    const condition = (part: DecisionPart, key: number, when: Condition): Condition =>
      this.#watchCondition(name, part, key, when);
    const optional =
      <T extends { readonly when: Condition | undefined }>(part: DecisionPart) =>
      (block: T, key: number): T =>
        block.when === undefined ? block : { ...block, when: condition(part, key, block.when) };
    /** Its condition is asked where it is used: it gets one that is always true. */
    const used =
      <T extends { readonly when: Condition | undefined }>(part: DecisionPart) =>
      (block: T, key: number): T => ({
        ...block,
        when: condition(part, key, block.when ?? ALWAYS),
      });
    const step = (part: DecisionPart, skip: DecisionPart) => (block: StepModel, key: number) => ({
      ...optional<StepModel>(part)(block, key),
      skipped: () => this.#see(name, skip, key, true),
    });
    const { fallback, errorResponses } = errorHandling;
    return {
      ...flow,
      source: source.kind === "schedule" || source.filter === undefined
        ? source
        : { ...source, filter: condition("filter", 0, source.filter) },
      accept: accept && {
        ...accept,
        steps: accept.steps.map(step("accept step", "accept skip")),
        when: condition("accept", 0, accept.when),
      },
      validate: {
        input: this.#watchType(name, "validate.input", validate.input),
        output: this.#watchType(name, "validate.output", validate.output),
      },
      steps: steps.map(step("step", "skip")),
      rejects: rejects.map((block, key) => ({
        ...block,
        when: condition("reject", key, block.when),
      })),
      dedupe: dedupe && { ...dedupe, repeated: () => this.#see(name, "dedupe", 0, true) },
      to: to.map(optional("to")),
      errorHandling: {
        ...errorHandling,
        fallback: fallback && used<typeof fallback>("fallback")(fallback, 0),
        errorResponses: errorResponses.map(used("error_response")),
      },
    };
  }

  #watchCondition(flow: string, part: DecisionPart, key: number, when: Condition): Condition {
    return amend(when, {
      evaluate: (scope) => {
        const value = when.evaluate(scope);
        this.#see(flow, part, key, value === true);
        return value;
      },
    });
  }

  #watchType<T extends DataType | undefined>(flow: string, part: DecisionPart, type: T): T {
    if (type === undefined) return type;
    const check: DataType["check"] = (...values) => {
      const checked = type.check(...values);
      this.#see(flow, part, 0, "violations" in checked);
      return checked;
    };
    return amend<DataType>(type, { check }) as T;
  }

  #see(owner: string, part: DecisionPart, key: string | number, value: boolean): void {
    this.#seen.add(keyOf(owner, part, key, value));
  }
}

const ALWAYS: Condition = {
  source: "true",
  variables: new Set(),
  paths: new Set(),
  evaluate: () => true,
};

function keyOf(owner: string, part: DecisionPart, key: string | number, value: boolean): string {
  return JSON.stringify([owner, part, key, value]);
}
