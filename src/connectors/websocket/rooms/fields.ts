/** What a `room` block can say. */
import { expression } from "../../../contract/expression-fields.ts";
import type { Expression } from "../../../expression/mod.ts";
import {
  type Field,
  type Fields,
  nameBlocks,
  type ReadContext,
  readFields,
} from "../../../contract/fields.ts";
import { misspelledOf } from "../../../contract/unknown-names.ts";
import { lookups, StepNames } from "../../../contract/step-fields.ts";
import type { LookupModel } from "../../../contract/request.ts";
import { RoomPattern } from "./pattern.ts";

/** The attributes of a `room` block. */
export const roomFields = {
  step: lookups({
    about:
      "Looks something up for `join`; its result is `step.NAME`. It sees `client` and `room`, " +
      "and gets `room` and `user_id` where it has no `params`.",
  }),
  join: expression({
    about: "Who may join; it sees `client`, `room` and `step`. Everybody may without it.",
  }),
} satisfies Fields;

/** A `room` block. */
export interface RoomOptions {
  /** Which rooms it is about. */
  readonly pattern: RoomPattern;
  /** Run before `join` is asked. */
  readonly steps: readonly LookupModel[];
  /** Undefined where everybody may join. */
  readonly join: Expression | undefined;
}

/** The `room` blocks of a connector. */
export const roomsField: Field<readonly RoomOptions[]> = {
  kind: "block",
  about:
    "Rooms that clients may join; its label is their name, with `*` for any characters. Where " +
    "one is declared, rooms that match none are refused. The most specific pattern counts.",
  type: "blocks",
  required: false,
  fields: roomFields,
  read(body, kind, _owner, context) {
    const blocks = body.blocks.filter(({ type }) => type === kind);
    const named = nameBlocks(blocks, kind, `${context.subject}: `, context.report);
    return named.map(([label, block]) => {
      const subject = `${context.subject}, ${kind} ${JSON.stringify(label)}`;
      const pattern = new RoomPattern(label);
      if (pattern.problem !== undefined) {
        const message = `${subject}: no room can match: ${pattern.problem}`;
        context.report({ code: "unmatched-room", span: block.labels[0].span, message });
      }
      const names = stepNames(block.body.blocks, subject, context.report);
      const hidden = misspelledOf(block.body, roomFields).has("step");
      if (hidden) names.addUnread();
      const hasSteps = hidden || block.body.blocks.some(({ type }) => type === "step");
      const steps = hasSteps ? ["step"] : [];
      const inner: ReadContext = {
        ...context,
        subject,
        variables: [...context.variables, "client", "room", ...steps],
      };
      const { step, join } = readFields(block.body, roomFields, block.headerSpan, {
        ...inner,
        onExpression(expression, span) {
          names.check(expression, span);
          context.onExpression?.(expression, span);
        },
        // The expressions of steps see only those before them, which is checked where they are read.
        lookups: (body, name) => context.lookups?.(body, name, inner) ?? [],
      });
      return { pattern, steps: step, join };
    });
  },
};

/** All steps of a block: `join` comes after every one of them. */
function stepNames(
  blocks: readonly {
    readonly type: string;
    readonly labels: readonly { readonly text: string }[];
  }[],
  subject: string,
  report: ReadContext["report"],
): StepNames {
  const names = new StepNames(subject, report);
  for (const { type, labels: [label] } of blocks) {
    if (type !== "step") continue;
    if (label === undefined) names.addUnread();
    else names.add(label.text);
  }
  return names;
}
