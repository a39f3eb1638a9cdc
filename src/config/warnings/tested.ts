/** Warns of flows that the tests of a configuration leave out, although they send to the connector. */
import { didYouMean } from "../../base/nearest.ts";
import type { TestModel } from "../../model/test.ts";
import { placesOf } from "../../contract/places.ts";
import type { PlacedFlow, Surroundings } from "./flow.ts";

/** What connections send by themselves, and a test need not write. */
const OWN = ["connect", "disconnect", "join_room", "leave_room"];

/**
 * Warns of each operation of a client that starts a flow and that no test sends. Connectors without a
 * client in any test are left out.
 */
export function warnOfUntested(
  flows: readonly PlacedFlow[],
  tests: readonly TestModel[],
  { report }: Pick<Surroundings, "report">,
): void {
  const sent = operationsIn(tests);
  const told = new Set<string>();
  for (const { model: { name, source } } of flows) {
    if (source.kind !== "connector" || source.operation === undefined) continue;
    const { connector, operation } = source;
    const known = sent.get(connector);
    const key = JSON.stringify([connector, operation]);
    if (known === undefined || known.has(operation) || OWN.includes(operation)) continue;
    if (told.has(key)) continue;
    told.add(key);
    report({
      code: "untested-operation",
      span: placesOf(source).of("operation"),
      message: `flow "${name}": no test sends "${operation}" on connector "${connector}"`,
      hint: didYouMean(operation, known) ??
        `add a test with given "CLIENT" { operation = "${operation}" }`,
      severity: "warning",
    });
  }
}

/** The types of the frames that clients send, by the names of their connectors. */
function operationsIn(tests: readonly TestModel[]): ReadonlyMap<string, Set<string>> {
  const sent = new Map<string, Set<string>>();
  for (const { clients, steps } of tests) {
    const connectorOf = new Map(clients.map(({ name, connector }) => [name, connector]));
    for (const connector of connectorOf.values()) {
      if (!sent.has(connector)) sent.set(connector, new Set());
    }
    for (const step of steps) {
      if (step.kind !== "frame") continue;
      const type = typeOf(step.text);
      if (type !== undefined) sent.get(connectorOf.get(step.subject) ?? "")?.add(type);
    }
  }
  return sent;
}

/** The type of a frame; undefined where a test sends something else. */
function typeOf(text: string): string | undefined {
  try {
    const { type } = JSON.parse(text) ?? {};
    return typeof type === "string" ? type : undefined;
  } catch {
    // A test may send what is no frame, to see it refused.
    return undefined;
  }
}
