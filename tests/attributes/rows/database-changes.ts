/** What the attributes of `changes` do, shown with a PostgreSQL that anybody writes to. */
import { until } from "../../support/mq.ts";
import { type PostgresDatabase, withPostgres } from "../../support/postgres.ts";
import { pause } from "../../support/socket-probe.ts";
import { ownServer } from "../database-servers.ts";
import type { Row } from "../row.ts";
import { type Delivery, inWorld, type World } from "../support.ts";

const SCHEMA = "create table events (n int primary key)";

/** Runs a flow for the rows of `events` that are inserted; the row 1 always fails. */
async function watching<T>(
  attributes: string,
  look: (world: World, database: PostgresDatabase) => Promise<T>,
): Promise<T> {
  const { admin: at } = await ownServer("postgres");
  return await withPostgres((database) => {
    const config = `
      connector "db" {
        type   = "database"
        driver = "postgres"
        url    = env("URL")
        changes {
          ${attributes}
        }
      }
      connector "a" {
        type = "sink"
      }
      flow "f" {
        from {
          connector = "db"
          operation = "INSERT events"
        }
        to { connector = "a" }
      }
    `;
    const reply = (delivery: Delivery) => {
      if (isFirst(delivery)) throw new Error("always");
    };
    const env = { URL: database.url };
    return inWorld(config, (world) => look(world, database), { env, reply });
  }, { at, schema: SCHEMA });
}

const isFirst = ({ payload }: Delivery) => (payload as { readonly n: number }).n === 1;

/** How often row 1 has been delivered, and the dead letters, when row 2 has been. */
function failing(attributes: string) {
  return watching(attributes, async ({ deliveries, clock }, { sql }) => {
    await sql("insert into events values (1); insert into events values (2)");
    await until("the second row", async () => {
      // The time between two deliveries passes.
      clock.advance(1000);
      await pause(20);
      return !deliveries.every(isFirst);
    });
    const letters = await sql("select operation, row, flow from letters").catch(() => "no table");
    return { deliveries: deliveries.filter(isFirst).length, letters };
  });
}

/** How often row 1 has been delivered a second after its first delivery. */
function afterOneSecond(attributes: string) {
  return watching(attributes, async ({ deliveries, clock }, { sql }) => {
    await sql("insert into events values (1)");
    await until("the first delivery", () => deliveries.length > 0);
    await pause(100);
    clock.advance(1000);
    await pause(300);
    return deliveries.length;
  });
}

/** The names of what was made in the database. */
function made(attributes: string) {
  return watching(attributes, async (_, { sql }) => ({
    slots: await sql(
      "select slot_name from pg_replication_slots where database = current_database()",
    ),
    publications: await sql("select pubname from pg_publication"),
  }));
}

const DEFAULT = { slots: [{ slot_name: "weir_app" }], publications: [{ pubname: "weir_app" }] };

/** Each of them, with a scenario that it changes. */
export const changesRows: readonly Row[] = [
  {
    attribute: "connector database/changes/slot",
    text: 'slot = "other"',
    observe: made,
    without: DEFAULT,
    with: { ...DEFAULT, slots: [{ slot_name: "other" }] },
  },
  {
    attribute: "connector database/changes/publication",
    text: 'publication = "other"',
    observe: made,
    without: DEFAULT,
    with: { ...DEFAULT, publications: [{ pubname: "other" }] },
  },
  {
    attribute: "connector database/changes/max_retries",
    text: "max_retries = 0",
    observe: failing,
    without: { deliveries: 3, letters: "no table" },
    with: { deliveries: 1, letters: "no table" },
  },
  {
    attribute: "connector database/changes/retry_delay",
    text: 'retry_delay = "5s"',
    observe: afterOneSecond,
    without: 2,
    with: 1,
  },
  {
    attribute: "connector database/changes/dead_letter",
    text: 'dead_letter = "letters"',
    observe: failing,
    without: { deliveries: 3, letters: "no table" },
    with: { deliveries: 3, letters: [{ operation: "INSERT", row: { n: 1 }, flow: "f" }] },
  },
];
