/** The surroundings of blocks whose schemas are looked at, and that are never read. */
import { DestinationNames } from "../../src/config/flow/destination-names.ts";
import { flowFields } from "../../src/config/flow/mod.ts";
import type { Loading } from "../../src/config/loading.ts";
import { testFields } from "../../src/config/test/mod.ts";
import type { Fields } from "../../src/contract/fields.ts";
import { StepNames } from "../../src/contract/step-fields.ts";

const loading: Loading = {
  types: {},
  env: () => undefined,
  now: undefined,
  randomBytes: undefined,
  constants: undefined,
  connectors: new Map(),
  unsound: new Set(),
  dataTypes: new Map(),
  transforms: new Map(),
  declared: { mayExist: () => true, mayExceed: () => true, mayMiss: () => true },
  report: () => {},
};

/** The attributes and blocks of a `flow`. */
export function fieldsOfFlow(): Fields {
  const steps = new StepNames("", () => {});
  const results = new DestinationNames("", () => {});
  return flowFields({
    name: "f",
    loading,
    events: { source: undefined, operation: undefined, refuses: false },
    steps,
    results,
  });
}

/** The blocks of a `test`. */
export function fieldsOfTest(): Fields {
  return testFields(loading);
}
