/** `step` blocks: what a flow asks connectors before it goes on. */
import type { Expression } from "../../expression.ts";
import { expressionMap } from "../../expression-fields.ts";
import type { StepModel } from "../../model.ts";
import { attribute, type Field, type Fields, nameBlocks } from "../../schema.ts";
import { duration, oneOf, valueSchema } from "../../values.ts";
import type { Loading } from "../loading.ts";
import type { Span } from "../tree.ts";
import { didYouMean } from "../../nearest.ts";
import * as v from "valibot";
import { readRequest, requestFields } from "./request.ts";

/** The attributes of a `step` block; the connector adds its own. */
export const stepFields = {
  ...requestFields,
  params: expressionMap({
    about: "What the connector gets, by name; the payload where it is left out.",
  }),
  timeout: attribute(duration(), {
    about: "How long it may take; as long as the flow by default.",
  }),
  on_error: attribute(oneOf(["fail", "skip"]), {
    about: "Whether its failure fails the flow or leaves the default as its result.",
    default: "fail",
  }),
  default: attribute(valueSchema("any value", v.unknown()), {
    about: "The result where there is none; null by default.",
  }),
} satisfies Fields;

/** The names of steps that an expression may use, as they become known. */
export class StepNames {
  readonly #known: string[] = [];
  readonly #subject: string;
  readonly #report: Loading["report"];

  /** `subject` is the flow. */
  constructor(subject: string, report: Loading["report"]) {
    this.#subject = subject;
    this.#report = report;
  }

  /** From now on expressions may use it. */
  add(name: string): void {
    this.#known.push(name);
  }

  /** Reports a step that an expression uses and that does not stand before it. */
  check({ paths }: Expression, span: Span): void {
    for (const path of paths) {
      const [variable, name] = path.split(".");
      if (variable !== "step" || name === undefined || this.#known.includes(name)) continue;
      const message = `${this.#subject}: there is no step "${name}" before this`;
      const names = this.#known.length === 0 ? undefined : `there is ${this.#known.join(", ")}`;
      this.#report(span, message, didYouMean(name, this.#known) ?? names);
    }
  }
}

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
        const { values, request } = readRequest(block, stepFields, "step", inner, loading);
        names.add(name);
        const { params, timeout, on_error: onError } = values;
        return { ...request, name, params, timeout, onError, default: values.default ?? null };
      });
    },
  };
}
