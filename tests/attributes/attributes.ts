/** Every attribute and block that the schemas have, by names such as `connector websocket/port`. */
import { serviceFields } from "../../src/config/service.ts";
import { OPTIONS } from "../../src/config/type-options.ts";
import * as builtInConnectors from "../../src/connectors/mod.ts";
import type { Fields } from "../../src/contract/fields.ts";
import { fieldsOfFlow, fieldsOfTest } from "../support/loading.ts";

/** What stands in no table of fields. `NAME` is a name that the configuration's author chooses. */
const OTHERS = [
  "connector/type",
  "constants/NAME",
  "transform/NAME",
  "type/NAME",
  "type/additional",
  "type/one_of",
  "type/by",
];

/** All of them, in the order of the schemas. */
export function allAttributes(): readonly string[] {
  return [
    ...OTHERS,
    ...Object.entries(OPTIONS).flatMap(([kind, options]) =>
      Object.keys(options).map((name) => `type/${kind}/${name}`)
    ),
    ...walk("service", serviceFields),
    ...walk("flow", fieldsOfFlow()),
    ...walk("test", fieldsOfTest()),
    ...Object.entries(builtInConnectors).flatMap(([name, { fields, destination, step }]) => [
      ...walk(`connector ${name}`, fields),
      ...walk(`to ${name}`, destination?.fields ?? {}),
      // A step may take the same fields as a destination, and other operations.
      ...walk(`step ${name}`, step?.fields === destination?.fields ? {} : step?.fields ?? {}),
    ]),
  ];
}

function walk(block: string, fields: Fields): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = walk(`${block}/${name}`, field.fields ?? {});
    // Beside its lines, which have no fields.
    if (name === "transform") inner.push(`${block}/${name}/use`, `${block}/${name}/extend`);
    // A block whose attributes are all covered is covered by them.
    return field.fields !== undefined && field.kind === "block" && inner.length > 0
      ? inner
      : [`${block}/${name}`, ...inner];
  });
}
