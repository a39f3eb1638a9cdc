/** What a flow asks before it goes on, in a `step` of its own and in one of its `accept`. */
import type { Row } from "../row.ts";
import {
  after,
  type Delivery,
  ENDS,
  flow,
  FROM,
  inWorld,
  sinks,
  to,
  type WorldOptions,
} from "../support.ts";

/** Where a step can stand. */
interface Place {
  /** As `attributes.ts` names it. */
  readonly block: string;
  /** The blocks of the flow around a step with these attributes. */
  around(attributes: string): string;
  /** What is seen where the step's result is `"refused"`. */
  readonly refused: unknown;
}

const places: readonly Place[] = [
  {
    block: "flow/step",
    around: (attributes) => `step "s" {\n${attributes}\n}`,
    refused: { told: "done", asked: ["a", "b"], written: { found: "refused" } },
  },
  {
    block: "flow/accept/step",
    around: (attributes) =>
      `accept {\nstep "s" {\n${attributes}\n}\nwhen = "step.s != 'refused'"\n}`,
    refused: { told: { error: "rejected" }, asked: ["a"] },
  },
];

/** The rows of every place where a step can stand. */
export const stepRows: readonly Row[] = places.flatMap(rowsOf);

function rowsOf(place: Place): readonly Row[] {
  const { block, refused } = place;
  return [
    {
      attribute: `${block}/connector`,
      text: 'connector = "a"',
      observe: (text) => outcome(place, text),
      without: ["missing-attribute"],
      with: { told: "done", asked: ["a", "b"], written: { found: "it" } },
    },
    {
      attribute: `${block}/operation`,
      text: 'operation = "find"',
      observe: (text) => question(place, `connector = "a"\n${text}`),
      without: { connector: "a", payload: { n: 1, who: "alice" } },
      with: { connector: "a", operation: "find", payload: { n: 1, who: "alice" } },
    },
    {
      attribute: `${block}/target`,
      text: 'target = "input.who"',
      observe: (text) => question(place, `connector = "a"\n${text}`),
      without: { connector: "a", payload: { n: 1, who: "alice" } },
      with: { connector: "a", target: "alice", payload: { n: 1, who: "alice" } },
    },
    {
      attribute: `${block}/params`,
      text: 'params = { id = "input.n + 1" }',
      observe: (text) => question(place, `connector = "a"\n${text}`),
      without: { connector: "a", payload: { n: 1, who: "alice" } },
      with: { connector: "a", payload: { id: 2 } },
    },
    {
      attribute: `${block}/when`,
      text: 'when = "input.n > 1"',
      observe: (text) => outcome(place, `connector = "a"\n${text}`),
      without: { told: "done", asked: ["a", "b"], written: { found: "it" } },
      with: { told: "done", asked: ["b"], written: { found: null } },
    },
    {
      attribute: `${block}/timeout`,
      text: 'timeout = "1s"',
      observe: (text) =>
        outcome(place, `connector = "a"\n${text}`, {
          reply: ({ connector }, clock) =>
            connector === "a" ? after(3_000, clock).then(() => "it") : undefined,
        }),
      without: { told: "done", asked: ["a", "b"], written: { found: "it" } },
      with: { told: { error: "timeout" }, asked: ["a"] },
    },
    {
      attribute: `${block}/on_error`,
      text: 'on_error = "skip"',
      observe: (text) =>
        outcome(place, `connector = "a"\n${text}`, {
          reply({ connector }) {
            if (connector === "a") throw new Error("away");
          },
        }),
      without: { told: { error: "flow_failed" }, asked: ["a"] },
      with: { told: "done", asked: ["a", "b"], written: { found: null } },
    },
    {
      attribute: `${block}/default`,
      text: 'default = "refused"',
      observe: (text) => outcome(place, `connector = "a"\n${text}`, { reply: () => undefined }),
      without: { told: "done", asked: ["a", "b"], written: { found: null } },
      with: refused,
    },
  ];
}

/** The sinks that were asked in a flow with the step, and what the last of them got. */
function outcome(
  { around }: Place,
  attributes: string,
  options: WorldOptions = { reply: () => "it" },
): Promise<unknown> {
  const config = ENDS +
    flow(`${FROM}\n${around(attributes)}\ntransform {\nfound = "step.s"\n}\n${to("b")}`);
  return inWorld(config, async ({ emit, clock, deliveries }) => {
    const told = emit({ n: 1, who: "alice" });
    await clock.advance(5_000);
    const written: Delivery | undefined = deliveries.find(({ connector }) => connector === "b");
    return {
      told: await told,
      asked: sinks(deliveries),
      ...(written && { written: written.payload }),
    };
  }, options);
}

/** What the step asks. */
function question({ around }: Place, attributes: string): Promise<unknown> {
  const config = ENDS + flow(`${FROM}\n${around(attributes)}\n${to("b")}`);
  return inWorld(config, async ({ emit, deliveries }) => {
    await emit({ n: 1, who: "alice" });
    return deliveries[0];
  });
}
