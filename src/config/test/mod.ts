/** `test` blocks → their models. */
import {
  attribute,
  type Field,
  type Fields,
  findBlocks,
  type NamedBlock,
  type ReadContext,
  readFields,
  required,
} from "../../contract/fields.ts";
import type { AdvanceStep, TestModel, TestStep } from "../../model/test.ts";
import { placesOf } from "../../contract/places.ts";
import { duration, flag } from "../../contract/value-schema.ts";
import type { Span } from "../../hcl/tree.ts";
import type { Loading } from "../loading.ts";
import { type Placed, placeOf, within } from "./block.ts";
import { Cast, clientsField } from "./client.ts";
import { expectField } from "./expect.ts";
import { givenField } from "./given.ts";
import { mockField } from "./mock.ts";

/** The attributes of an `advance` block. */
export const advanceFields = {
  by: required(
    attribute(duration({ max: Number.MAX_SAFE_INTEGER }), { about: "How much time passes." }),
  ),
} satisfies Fields;

/** What a test has. The clients come first: the steps name them. */
export function testFields(loading: Loading) {
  const cast = new Cast(loading);
  return {
    client: clientsField(cast),
    given: givenField(cast),
    mock: mockField(cast),
    expect: expectField(cast),
    advance: advanceField(),
    real: attribute(flag(), {
      about: "Whether databases are those that the configuration names, instead of played ones.",
      default: false,
    }),
  } satisfies Fields;
}

/** Reads the tests; reports what is wrong with them. */
export function readTests(
  blocks: readonly NamedBlock[],
  loading: Loading,
): readonly TestModel[] {
  return blocks.map(([name, block]) => {
    const { env, now, randomBytes, report } = loading;
    const context: ReadContext = {
      subject: `test "${name}"`,
      variables: [],
      env,
      now,
      randomBytes,
      report,
    };
    const { body, headerSpan } = block;
    const values = readFields(body, testFields(loading), headerSpan, context);
    const { client, real, ...others } = values;
    if (real) checkReal(placesOf(values).nameOf("real"), loading, context);
    const all: readonly Placed<TestStep>[] = Object.values(others).flat();
    const steps = [...all]
      .sort((a, b) => body.blocks.indexOf(a.block) - body.blocks.indexOf(b.block))
      .map(({ value }) => value);
    if (body.blocks.length === 0 && body.attributes.every(({ name }) => name === "real")) {
      const message = `test "${name}" does nothing`;
      const hint = "add a given and an expect block";
      report({ code: "empty-block", span: headerSpan, message, hint });
    }
    const clients = client.map(({ value }) => ({
      ...value,
      connects: steps.find((step) => isDeed(step, value.name))?.kind !== "connect",
    }));
    return { name, clients, steps, real, place: placeOf(block) };
  });
}

/** `real` must be about some connector. */
function checkReal(
  span: Span,
  { connectors, declared }: Loading,
  { subject, report }: ReadContext,
): void {
  if ([...connectors.values()].some(({ definition }) => definition.testReal)) return;
  if (declared.mayExceed("connector", connectors.size)) return;
  const message = `${subject} has real = true, and no connector has a service to use in tests`;
  report({ code: "unused-attribute", span, message, hint: "a database has one" });
}

/** Whether a client does something in a step. */
function isDeed(step: TestStep, client: string): boolean {
  return ["connect", "disconnect", "reading", "frame"].includes(step.kind) && "subject" in step &&
    step.subject === client;
}

function advanceField(): Field<readonly Placed<AdvanceStep>[]> {
  return {
    kind: "block",
    about: "Moves the test's clock, which does not move otherwise.",
    type: "blocks",
    required: false,
    fields: advanceFields,
    read: (body, kind, _owner, context) =>
      findBlocks(body, kind, Infinity, context).map((block) => {
        const inner = within(context, kind);
        const { by } = readFields(block.body, advanceFields, block.headerSpan, inner);
        return { block, value: { kind: "advance", by, place: placeOf(block) } };
      }),
  };
}
