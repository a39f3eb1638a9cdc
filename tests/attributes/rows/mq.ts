/** The attributes of the `mq` connector that every broker has, shown with the one in the process. */
import type { Row } from "../row.ts";
import { ENDS, FROM, inWorld, payloads, type World, type WorldOptions } from "../support.ts";

/** What the blocks of a configuration say. */
interface Texts {
  readonly driver?: string;
  /** More of the connector. */
  readonly body?: string;
  /** More of the `to` that publishes. */
  readonly to?: string;
  /** More of the flow that consumes. */
  readonly transform?: string;
}

/** Events of "in" are published, what comes back goes to the sink "a". */
function config(
  { driver = 'driver = "memory"', body = "", to = "", transform = "" }: Texts,
): string {
  return `${ENDS}
    connector "events" {
      type = "mq"
      ${driver}
      ${body}
    }
    flow "publish" {
      ${FROM}
      to {
        connector = "events"
        target    = "input.key"
        ${to}
      }
    }
    flow "consume" {
      from { connector = "events" }
      ${transform}
      to { connector = "a" }
    }
  `;
}

/** What the sink gets of an event. */
function consumed(texts: Texts): Promise<readonly unknown[]> {
  return inWorld(config(texts), async ({ emit, clock, deliveries }) => {
    await emit({ key: "k" });
    await clock.advance(0);
    return payloads(deliveries);
  });
}

/** Looks at how an event is repeated whose flow always fails, where the `dlq` block says this. */
function repeated(dlq: string, look: (world: World) => Promise<unknown>): Promise<unknown> {
  const body = `consumer {\nqueue = "q"\ndlq {\n${dlq}\n}\n}`;
  const options: WorldOptions = {
    reply() {
      throw new Error("always");
    },
  };
  return inWorld(config({ body }), async (world) => {
    await world.emit({ key: "k" });
    return await look(world);
  }, options);
}

/** Each of them, with a scenario that it changes. */
export const mqRows: readonly Row[] = [
  {
    attribute: "connector mq/driver",
    text: 'driver = "memory"',
    observe: (driver) => consumed({ driver }),
    without: ["missing-attribute"],
    with: [{ key: "k" }],
  },
  {
    // How many of three events are at work when none of them ends.
    attribute: "connector mq/consumer/prefetch",
    text: "prefetch = 1",
    async observe(text) {
      const gate = Promise.withResolvers<void>();
      const options: WorldOptions = { reply: () => gate.promise };
      return await inWorld(
        config({ body: `consumer {\n${text}\n}` }),
        async ({ emit, clock, deliveries }) => {
          for (let n = 0; n < 3; n++) await emit({ key: "k" });
          await clock.advance(0);
          const atWork = deliveries.length;
          gate.resolve();
          await clock.advance(0);
          return { atWork, inAll: deliveries.length };
        },
        options,
      );
    },
    without: { atWork: 3, inAll: 3 },
    with: { atWork: 1, inAll: 3 },
  },
  {
    // How often an event is delivered whose flow always fails.
    attribute: "connector mq/consumer/dlq/max_retries",
    text: "max_retries = 1",
    observe: (text) =>
      repeated(text, async ({ clock, deliveries, runtime }) => {
        await clock.advance(3_600_000);
        const { dead_lettered } = runtime.counts().events;
        return { deliveries: deliveries.length, dead_lettered };
      }),
    without: { deliveries: 4, dead_lettered: 1 },
    with: { deliveries: 2, dead_lettered: 1 },
  },
  {
    // How often it has been delivered after so many milliseconds.
    attribute: "connector mq/consumer/dlq/retry_delay",
    text: 'retry_delay = "10s"',
    observe: (text) =>
      repeated(text, async ({ clock, deliveries }) => {
        const counts: number[] = [];
        for (const milliseconds of [999, 1, 8_999, 1]) {
          await clock.advance(milliseconds);
          counts.push(deliveries.length);
        }
        return counts;
      }),
    without: [1, 2, 4, 4],
    with: [1, 1, 1, 2],
  },
  {
    attribute: "to mq/headers",
    text: 'headers = { trace = "input.key" }',
    observe: (to) => consumed({ to, transform: 'transform { trace = "input.headers.trace" }' }),
    without: [{ trace: null }],
    with: [{ trace: "k" }],
  },
  {
    attribute: "to mq/message_id",
    text: `message_id = "'m-' + input.key"`,
    observe: (to) =>
      consumed({ to, transform: "transform { mine = \"input.properties.message_id == 'm-k'\" }" }),
    without: [{ mine: false }],
    with: [{ mine: true }],
  },
];
