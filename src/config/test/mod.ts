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
import { duration } from "../../contract/value-schema.ts";
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

/** The blocks of a test. The clients come first: the steps name them. */
export function testFields(loading: Loading) {
  const cast = new Cast(loading);
  return {
    client: clientsField(cast),
    given: givenField(cast),
    mock: mockField(cast),
    expect: expectField(cast),
    advance: advanceField(),
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
    const { client, ...others } = readFields(body, testFields(loading), headerSpan, context);
    const all: readonly Placed<TestStep>[] = Object.values(others).flat();
    const steps = [...all]
      .sort((a, b) => body.blocks.indexOf(a.block) - body.blocks.indexOf(b.block))
      .map(({ value }) => value);
    if (body.blocks.length + body.attributes.length === 0) {
      const message = `test "${name}" does nothing`;
      const hint = "add a given and an expect block";
      report({ code: "empty-block", span: headerSpan, message, hint });
    }
    const clients = client.map(({ value }) => ({
      ...value,
      connects: steps.find((step) => isDeed(step, value.name))?.kind !== "connect",
    }));
    return { name, clients, steps, place: placeOf(block) };
  });
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
