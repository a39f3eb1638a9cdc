/** Runs the test blocks of configuration texts. */
import type { ConnectorType } from "../../src/contract/definition.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { formatResult } from "../../src/testing/report.ts";
import type { TestResult } from "../../src/testing/report.ts";
import { runTest } from "../../src/testing/run.ts";

/** Connectors of a chat: clients, callers, a broker and a place that nobody makes in tests. */
export const CONNECTORS = `connector "ws" {
  type = "websocket"
  port = 3001
}
connector "api" {
  type = "rest"
  port = 3001
}
connector "rabbit" {
  type = "mq"
  driver = "memory"
}
connector "db" {
  type = "database"
  driver = "sqlite"
  database = "./data/never-made.db"
}
connector "mail" {
  type = "mail"
}
`;
/** The line on which what follows the connectors begins. */
const L = CONNECTORS.split("\n").length;

/** What is sent to it leaves the process, so tests do not make it. */
const mail: ConnectorType = {
  fields: {},
  destination: { fields: {} },
  create() {
    throw new Error("mail was made in a test");
  },
};

/** The types of these tests, beside those that are built in. */
export const types: Readonly<Record<string, ConnectorType>> = { mail };

/** Runs all tests of these blocks, below the connectors. */
export async function resultsOf(
  blocks: string,
  connectors: Readonly<Record<string, ConnectorType>> = {},
): Promise<readonly TestResult[]> {
  const clock = new ManualClock();
  const model = await loadConfig(CONNECTORS + blocks, {
    connectors: { ...types, ...connectors },
    now: () => clock.now(),
  });
  const results: TestResult[] = [];
  for (const test of model.tests) results.push(await runTest(model, test, { clock }));
  return results;
}

/**
 * What `weir test` prints of all tests of these blocks; `@1` is the first line of the blocks.
 * References, which are random, are left out.
 */
export async function reportOf(
  blocks: string,
  connectors: Readonly<Record<string, ConnectorType>> = {},
): Promise<string> {
  const results = await resultsOf(blocks, connectors);
  return results.map((result) => formatResult(result)).join("\n")
    .replaceAll(/ \(ref [0-9a-f]+\)/g, "")
    .replaceAll(/config\.hcl:(\d+)/g, (_, line) => `@${Number(line) - L + 1}`);
}
