/** Every attribute and block that the schemas have, by names such as `connector websocket/port`. */
import { flowFields } from "../../src/config/flow/flow.ts";
import { StepNames } from "../../src/config/flow/step.ts";
import type { Loading } from "../../src/config/loading.ts";
import { testFields } from "../../src/config/test/test.ts";
import { OPTIONS } from "../../src/config/type-options.ts";
import { builtInConnectors } from "../../src/connectors/mod.ts";
import type { Fields } from "../../src/schema.ts";

const loading: Loading = {
  types: {},
  env: () => undefined,
  now: undefined,
  constants: undefined,
  connectors: new Map(),
  dataTypes: new Map(),
  transforms: new Map(),
  mayExist: () => true,
  report: () => {},
};

/** What stands in no table of fields. `NAME` is a name that the configuration's author chooses. */
const OTHERS = [
  "connector/type",
  "constants/NAME",
  "transform/NAME",
  "type/NAME",
  "type/additional",
];

/** All of them, in the order of the schemas. */
export function allAttributes(): readonly string[] {
  const steps = new StepNames("", () => {});
  const flow = flowFields({ loading, source: undefined, operation: undefined, steps });
  return [
    ...OTHERS,
    ...Object.entries(OPTIONS).flatMap(([kind, options]) =>
      Object.keys(options).map((name) => `type/${kind}/${name}`)
    ),
    ...walk("flow", flow),
    ...walk("test", testFields(loading)),
    ...Object.entries(builtInConnectors).flatMap(([name, { fields, destination, step }]) => [
      ...walk(`connector ${name}`, fields),
      ...walk(`to ${name}`, destination?.fields ?? {}),
      ...walk(`step ${name}`, step?.fields ?? {}),
    ]),
  ];
}

function walk(block: string, fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = walk(`${block}/${name}`, field.fields ?? {});
    // Beside its lines, which have no fields.
    if (name === "transform") inner.push(`${block}/${name}/use`);
    // A block whose attributes are all covered is covered by them.
    return field.fields !== undefined && field.kind === "block" && inner.length > 0
      ? inner
      : [`${block}/${name}`, ...inner];
  });
}
