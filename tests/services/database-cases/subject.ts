/** A database connector that was made from a configuration, for the cases of the suite. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { systemClock } from "../../../src/base/clock.ts";
import { ConnectorError } from "../../../src/base/errors.ts";
import { messageOf } from "../../../src/base/shown.ts";
import type { DatabaseConnector } from "../../../src/connectors/database/connector.ts";
import type {
  Connector,
  Outcome,
  Transaction,
  WriteRequest,
} from "../../../src/contract/connector.ts";
import { Flow } from "../../../src/flow/mod.ts";
import { loadConfig } from "../../../src/runtime/load.ts";
import { withTemporaryFolder } from "../../support/certificate.ts";
import { eventOf, probes } from "../../support/flow.ts";
import { type Recorder, recorder } from "../../support/log.ts";
import { type Service, serviceTest } from "../../support/services.ts";
import { type Differences, differences, type Kind } from "./differences.ts";

/** What a `to` or a `step` block asks for. */
export interface Wanted {
  readonly operation?: string;
  readonly target?: string;
  readonly payload?: unknown;
  readonly key?: readonly string[];
  readonly query?: string;
  /** Only a step has it. */
  readonly rows?: "auto" | "one" | "all";
  /** False where no later block needs what it returns. */
  readonly resultUsed?: boolean;
}

/** Cases about one subject, and the tables that they share. */
export interface Topic {
  /** The statements of the migration; each case has tables of its own where it changes them. */
  readonly schema: (differences: Differences) => string;
  readonly cases: Readonly<Record<string, (subject: Subject) => Promise<void>>>;
}

/** A row. */
export type Stored = Readonly<Record<string, unknown>>;

/** A started connector "db". */
export class Subject {
  readonly kind: Kind;
  readonly differences: Differences;
  readonly db: DatabaseConnector;
  readonly log: Recorder;
  readonly #block: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #flows: Flow[] = [];

  private constructor(
    kind: Kind,
    db: DatabaseConnector,
    log: Recorder,
    block: string,
    env: Readonly<Record<string, string>>,
  ) {
    this.kind = kind;
    this.differences = differences[kind];
    this.db = db;
    this.log = log;
    this.#block = block;
    this.#env = env;
  }

  /** Makes and starts one; `attributes` are those of its block beside the type. */
  static async open(
    kind: Kind,
    attributes: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Subject> {
    const driver = kind === "sqlite" ? "sqlite" : kind;
    const block =
      `connector "db" {\n  type = "database"\n  driver = "${driver}"\n${attributes}\n}\n`;
    const model = await loadConfig(block, { env: (name) => env[name] });
    const found = model.connectors.get("db");
    assert.ok(found);
    const log = recorder();
    const db = await found.definition.create(found.options, {
      name: "db",
      logger: log.logger,
      clock: systemClock,
      constants: {},
      lookUp: () => ({}),
    }) as DatabaseConnector;
    try {
      await db.start();
      assert.equal(db.health(), undefined);
    } catch (error) {
      await db.close();
      throw error;
    }
    return new Subject(kind, db, log, block, env);
  }

  /** The name of a table or a column, quoted for a query. */
  quote(name: string): string {
    return this.differences.quote(name);
  }

  /** Writes or reads, as a block does. */
  async write(wanted: Wanted): Promise<unknown> {
    return await this.db.write(requestOf(wanted));
  }

  /** The rows of a query. */
  async rows(query: string, payload: unknown = {}): Promise<readonly Stored[]> {
    return await this.write({ query, payload }) as readonly Stored[];
  }

  /** What is stored in a table, in the order of a column. */
  async table(name: string, order: string): Promise<readonly Stored[]> {
    return await this.rows(`SELECT * FROM ${this.quote(name)} ORDER BY ${this.quote(order)}`);
  }

  /** Calls `work` in a transaction, with a function that writes in it. */
  async transact<T>(
    work: (write: (wanted: Wanted) => Promise<unknown>) => Promise<T>,
  ): Promise<T> {
    return await this.db.transact((transaction: Transaction) =>
      work(async (wanted) => await transaction.write(requestOf(wanted)))
    );
  }

  /** Refuses a write with these words; `permanent` where it can never succeed. */
  async refuses(wanted: Wanted, message: RegExp, permanent = true): Promise<void> {
    await assert.rejects(
      this.write(wanted),
      refusal(message, permanent),
      inspect(wanted).slice(0, 200),
    );
  }

  /** A flow of clients of connector `a` with this body, which may use `db`; runs it. */
  async flow(body: string): Promise<(input: Stored) => Promise<Outcome>> {
    const probe = 'connector "a" {\n  type = "probe"\n}\n';
    const source = `${probe}${this.#block}flow "f" {\n  from { connector = "a" }\n${body}\n}\n`;
    const model = await loadConfig(source, {
      connectors: probes,
      env: (name) => this.#env[name],
    });
    const flow = new Flow(model.flows[0], {
      connectors: new Map<string, Connector>([["a", {}], ["db", this.db]]),
      constants: {},
      logger: this.log.logger,
      clock: systemClock,
      random: () => 0.5,
    });
    this.#flows.push(flow);
    return async (input) => await flow.run(eventOf(input));
  }

  /** Closes it, and the flows that were made with it. */
  async close(): Promise<void> {
    for (const flow of this.#flows) flow.close();
    await this.db.close();
  }
}

function requestOf(wanted: Wanted): WriteRequest {
  const { operation, target, payload = {}, resultUsed = true, ...options } = wanted;
  return { operation, target, payload, resultUsed, options, scope: {}, event: undefined };
}

/** A predicate for `assert.rejects`: a ConnectorError of "db" with this message. */
export function refusal(message: RegExp, permanent = true): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof ConnectorError)) throw error;
    if (error.connector !== "db" || error.permanent !== permanent || !message.test(error.message)) {
      throw new Error(
        `permanent: ${error.permanent}, message: ${error.message}, expected: ${message}`,
      );
    }
    return true;
  };
}

/** Calls `use` with the attributes of a connector block for an empty database. */
export type Empty = (
  use: (attributes: string, env: Readonly<Record<string, string>>) => Promise<void>,
) => Promise<void>;

/**
 * Registers a test for each topic, where the service is there that the database needs. Each topic has
 * a database of its own, which `empty` makes.
 */
export async function suite(
  kind: Kind,
  topics: Readonly<Record<string, Topic>>,
  empty: Empty,
  needed?: Service,
): Promise<void> {
  for (const [name, topic] of Object.entries(topics)) {
    const run = () => withTemporaryFolder((folder) => runTopic(kind, topic, empty, folder));
    if (needed === undefined) test(`${kind}, ${name}`, run);
    else await serviceTest(needed, `${kind}, ${name}`, run);
  }
}

/** `folder` is for the migration. */
async function runTopic(kind: Kind, topic: Topic, empty: Empty, folder: string): Promise<void> {
  await writeFile(join(folder, "001.sql"), topic.schema(differences[kind]));
  await empty(async (attributes, env) => {
    const migrations = `  migrations = ${JSON.stringify(folder)}`;
    const subject = await Subject.open(kind, `${attributes}\n${migrations}`, env);
    try {
      await runCases(topic, subject);
    } finally {
      await subject.close();
    }
  });
}

/** All of them run, also where one fails; the error lists each that did. */
async function runCases({ cases }: Topic, subject: Subject): Promise<void> {
  const reasons: string[] = [];
  const details: string[] = [];
  for (const [name, run] of Object.entries(cases)) {
    try {
      await run(subject);
    } catch (error) {
      reasons.push(`${name}: ${messageOf(error)}`);
      // With its properties and causes.
      details.push(inspect(error));
    }
  }
  // First what is wrong: a long text is shown from its beginning, or to its end.
  assert.equal(reasons.length, 0, [...reasons, ...details].join("\n\n"));
}
