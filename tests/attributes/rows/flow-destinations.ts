/** Where a flow's payload goes, in a `to` and in a `fallback`. */
import type { Row } from "../row.ts";
import {
  after,
  type Delivery,
  ENDS,
  flow,
  FROM,
  inWorld,
  payloads,
  sinks,
  to,
} from "../support.ts";

const DOUBLED = `
transform "doubled" {
  twice = "input.n * 2"
}
`;

/** Where a destination can stand. */
interface Place {
  /** As `attributes.ts` names it. */
  readonly block: string;
  /** The blocks around a destination with these attributes. */
  around(attributes: string): string;
}

const TO: Place = {
  block: "flow/to",
  around: (attributes) => `to {\n${attributes}\n}`,
};
/** Sink `c` always fails, so that the fallback has its turn. */
const FALLBACK: Place = {
  block: "flow/error_handling/fallback",
  around: (attributes) => `${to("c")}\nerror_handling {\nfallback {\n${attributes}\n}\n}`,
};

/** The rows of `to` and `fallback`. */
export const destinationRows: readonly Row[] = [
  ...rowsOf(TO),
  {
    attribute: "flow/to/parallel",
    text: "parallel = true",
    observe: (text) =>
      inWorld(
        ENDS + flow(`${FROM}\n${to("a", text)}\n${to("b", text)}\n${to("c")}`),
        async ({ emit, clock, deliveries }) => {
          const told = emit({ n: 1 });
          await clock.advance(0);
          const atOnce = sinks(deliveries);
          await clock.advance(10_000);
          return { told: await told, atOnce, inTheEnd: sinks(deliveries) };
        },
        { reply: (_delivery, clock) => after(1_000, clock) },
      ),
    without: { told: "done", atOnce: ["a"], inTheEnd: ["a", "b", "c"] },
    with: { told: "done", atOnce: ["a", "b"], inTheEnd: ["a", "b", "c"] },
  },
  ...rowsOf(FALLBACK),
  {
    attribute: "flow/error_handling/fallback/include_error",
    text: "include_error = true",
    async observe(text) {
      const delivery = await firstDelivery(FALLBACK, `connector = "a"\n${text}`);
      const { error, ...others } = delivery?.payload as Record<string, unknown>;
      if (error === undefined) return others;
      // The `ref` is another one each time.
      const { ref, ...known } = error as Record<string, unknown>;
      return { ...others, error: { ...known, ref: typeof ref } };
    },
    without: { n: 1, who: "alice" },
    with: {
      n: 1,
      who: "alice",
      error: { code: "flow_failed", message: "away", step: "c", details: null, ref: "string" },
    },
  },
];

function rowsOf(place: Place): readonly Row[] {
  const { block } = place;
  const plain: Delivery = { connector: "a", payload: { n: 1, who: "alice" } };
  return [
    {
      attribute: `${block}/connector`,
      text: 'connector = "a"',
      observe: (text) => firstDelivery(place, text),
      without: ["missing-attribute"],
      with: plain,
    },
    {
      attribute: `${block}/operation`,
      text: 'operation = "insert"',
      observe: (text) => firstDelivery(place, `connector = "a"\n${text}`),
      without: plain,
      with: { ...plain, operation: "insert" },
    },
    {
      attribute: `${block}/target`,
      text: 'target = "input.who"',
      observe: (text) => firstDelivery(place, `connector = "a"\n${text}`),
      without: plain,
      with: { ...plain, target: "alice" },
    },
    {
      attribute: `${block}/when`,
      text: 'when = "input.n > 1"',
      observe: (text) => deliveriesOf(place, `connector = "a"\n${text}`, [{ n: 1 }, { n: 2 }]),
      without: [{ n: 1 }, { n: 2 }],
      with: [{ n: 2 }],
    },
    {
      attribute: `${block}/transform`,
      text: 'transform {\nfor = "input.who"\nnext = "output.n + 1"\n}',
      observe: (text) => firstDelivery(place, `connector = "a"\n${text}`),
      without: plain,
      with: { connector: "a", payload: { for: "alice", next: 2 } },
    },
    {
      attribute: `${block}/transform/use`,
      text: 'use = "transform.doubled"',
      observe: (text) =>
        firstDelivery(place, `connector = "a"\ntransform {\n${text}\nn = "input.n"\n}`),
      without: { connector: "a", payload: { n: 1 } },
      with: { connector: "a", payload: { twice: 2, n: 1 } },
    },
    {
      attribute: `${block}/transform/extend`,
      text: "extend = true",
      observe: (text) =>
        firstDelivery(place, `connector = "a"\ntransform {\n${text}\nm = "output.n + 1"\n}`),
      without: { connector: "a", payload: { m: 2 } },
      with: { connector: "a", payload: { n: 1, who: "alice", m: 2 } },
    },
    {
      attribute: `${block}/each`,
      text: 'each = "[input.n, input.n + 1]"',
      observe: (text) => deliveriesOf(place, `connector = "a"\n${text}`, [{ n: 1 }]),
      without: [{ n: 1 }],
      with: [1, 2],
    },
  ];
}

/** What sink `a` gets of an event. */
function firstDelivery({ around }: Place, attributes: string): Promise<Delivery | undefined> {
  const config = ENDS + DOUBLED + flow(`${FROM}\n${around(attributes)}`);
  return inWorld(config, async ({ emit, deliveries }) => {
    await emit({ n: 1, who: "alice" });
    return deliveries.find(({ connector }) => connector === "a");
  }, { reply: failAtC });
}

/** The payloads that sink `a` gets of several events. */
function deliveriesOf(
  { around }: Place,
  attributes: string,
  events: readonly unknown[],
): Promise<readonly unknown[]> {
  return inWorld(ENDS + flow(`${FROM}\n${around(attributes)}`), async ({ emit, deliveries }) => {
    for (const event of events) await emit(event);
    return payloads(deliveries.filter(({ connector }) => connector === "a"));
  }, { reply: failAtC });
}

function failAtC({ connector }: Delivery): void {
  if (connector === "c") throw new Error("away");
}
