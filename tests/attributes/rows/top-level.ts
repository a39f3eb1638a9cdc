/** What stands at the top level beside flows, types and tests. */
import type { Row } from "../row.ts";
import { ENDS, flow, FROM, inWorld, payloads, to } from "../support.ts";

/** The rows of connectors of any type, of constants and of named transforms. */
export const topLevelRows: readonly Row[] = [
  {
    attribute: "connector/type",
    text: 'type = "sink"',
    observe: (text) =>
      inWorld(
        `${ENDS}connector "d" {\n${text}\n}\n${flow(`${FROM}\n${to("d")}`)}`,
        async ({ emit, deliveries }) => {
          await emit({ n: 1 });
          return deliveries;
        },
      ),
    without: ["missing-attribute"],
    with: [{ connector: "d", payload: { n: 1 } }],
  },
  {
    attribute: "constants/NAME",
    text: "limit = 5",
    observe: (text) =>
      written(`constants {\n${text}\n}`, 'limit = "constants.limit"\nn = "input.n"'),
    without: ["unknown-constant"],
    with: [{ limit: 5, n: 1 }],
  },
  {
    attribute: "transform/NAME",
    text: 'twice = "input.n * 2"',
    observe: (text) =>
      written(`transform "shared" {\nn = "input.n"\n${text}\n}`, 'use = "transform.shared"'),
    without: [{ n: 1 }],
    with: [{ n: 1, twice: 2 }],
  },
];

/** What a flow with this transform writes. */
function written(block: string, transform: string): Promise<readonly unknown[]> {
  const config = `${ENDS}${block}\n${flow(`${FROM}\ntransform {\n${transform}\n}\n${to("a")}`)}`;
  return inWorld(config, async ({ emit, deliveries }) => {
    await emit({ n: 1 });
    return payloads(deliveries);
  });
}
