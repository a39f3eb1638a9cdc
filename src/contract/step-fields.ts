/** The words of a block that asks a connector for something, and of `step` blocks above all. */
import * as v from "valibot";
import type { Report, Span } from "../hcl/tree.ts";
import type { Expression } from "../expression/mod.ts";
import { expression, expressionMap, target } from "./expression-fields.ts";
import { didYouMean } from "../base/nearest.ts";
import type { ProblemCode } from "../base/problem.ts";
import type { LookupModel } from "./request.ts";
import { type About, attribute, type Field, type Fields, required } from "./fields.ts";
import { duration, oneOf, text, valueSchema } from "./value-schema.ts";

/** The attributes of every `to`, `step` and `fallback`; the connector adds its own. */
export const requestFields = {
  connector: required(attribute(text(), { about: "The connector that is asked." })),
  operation: attribute(text(), { about: "What the connector does with it." }),
  target: target({ about: "The table, room, user or routing key." }),
  when: expression({ about: "False: it is left out." }),
} satisfies Fields;

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

/** The attributes of a `step` block inside a connector. */
export const lookupFields = {
  ...stepFields,
  timeout: attribute(duration(), { about: "How long it may take.", default: "10s" }),
  on_error: attribute(oneOf(["fail", "skip"]), {
    about: "Whether its failure refuses what is asked or leaves the default as its result.",
    default: "fail",
  }),
  cache: attribute(duration(), {
    about: "How long a result serves all that ask with the same values; it is not kept by default.",
  }),
} satisfies Fields;

/**
 * `step` blocks by which a connector looks something up at other connectors; `ConnectorContext.lookUp`
 * runs them. The list is filled once all connectors have been read.
 */
export function lookups(options: About): Field<readonly LookupModel[]> {
  return {
    kind: "block",
    about: options.about,
    type: "blocks",
    required: false,
    fields: lookupFields,
    read: (body, name, _owner, context) => context.lookups?.(body, name, context) ?? [],
  };
}

/** What is found by its name in expressions. */
export interface NamedKind {
  /** The variable that has the names as its fields. */
  readonly variable: string;
  /** The block in words. */
  readonly block: string;
  /** The code of the problem of an unknown name. */
  readonly code: ProblemCode;
}

/** The names of blocks whose results an expression may use, as they become known. */
export class EarlierNames {
  readonly #known: string[] = [];
  readonly #kind: NamedKind;
  readonly #subject: string;
  readonly #report: Report;
  #anyName = false;
  #later: readonly string[] = [];

  /** `subject` is the block that holds them. */
  constructor(kind: NamedKind, subject: string, report: Report) {
    this.#kind = kind;
    this.#subject = subject;
    this.#report = report;
  }

  /** From now on expressions may use it. */
  add(name: string): void {
    if (!this.#known.includes(name)) this.#known.push(name);
  }

  /** While `read` runs, expressions may not use the names in `later`, although they are known. */
  without<T>(later: readonly string[], read: () => T): T {
    this.#later = later;
    const result = read();
    this.#later = [];
    return result;
  }

  /** From now on expressions may use any name: a block could not be read, which has been reported. */
  addUnread(): void {
    this.#anyName = true;
  }

  /** Reports a name that an expression uses and that does not run before it. */
  check({ paths }: Expression, span: Span): void {
    if (this.#anyName) return;
    const { variable: kind, block, code } = this.#kind;
    const known = this.#known.filter((name) => !this.#later.includes(name));
    for (const path of paths) {
      const [variable, name] = path.split(".");
      if (variable !== kind || name === undefined || known.includes(name)) continue;
      const message = `${this.#subject}: there is no ${block} "${name}" before this`;
      const names = known.length === 0 ? undefined : `there is ${known.join(", ")}`;
      const order = `only what comes after a ${block} can read its result`;
      const hint = didYouMean(name, known) ?? names ?? order;
      this.#report({ code, span, message, hint });
    }
  }
}

/** The names of steps. */
export class StepNames extends EarlierNames {
  /** `subject` is the block that holds the steps. */
  constructor(subject: string, report: Report) {
    super({ variable: "step", block: "step", code: "unknown-step" }, subject, report);
  }
}
