/** The contract suite: every rule as a test of the author's runner. */
import { ConnectorRuleError } from "./failure.ts";
import type { ConnectorTestOptions, TestContext } from "./options.ts";
import { refuseInside } from "./process.ts";
import type { Rule } from "./rule.ts";
import { testsOf } from "./runner.ts";
import { definitionRules } from "./rules/definition.ts";
import { destinationRules } from "./rules/destination.ts";
import { lifecycleRules } from "./rules/lifecycle.ts";
import { outageRules } from "./rules/outage.ts";
import { sourceRules } from "./rules/source.ts";
import { transactionRules } from "./rules/transactions.ts";
import { workerRules } from "./rules/workers.ts";
import { Subject } from "./subject.ts";

const RULES: readonly Rule[] = [
  ...definitionRules,
  ...lifecycleRules,
  ...destinationRules,
  ...transactionRules,
  ...sourceRules,
  ...workerRules,
  ...outageRules,
];

/** A rule of the contract, as a test of one connector. */
export interface ConnectorTest {
  /** The name of the rule, such as `close`. Names are stable. */
  readonly rule: string;
  /** The rule as a sentence. */
  readonly title: string;
  /**
   * Checks the rule. Returns why it was not checked, if so: the author skips it, or another rule is
   * broken. A second call returns the result of the first one.
   *
   * @throws {ConnectorRuleError} The connector breaks the rule.
   */
  run(): Promise<string | undefined>;
}

/**
 * The tests of `testConnector` as a list, for a runner that is not a function of a name and a test.
 *
 * @example
 * ```ts
 * import { connectorTests } from "@weir/runtime/testing";
 *
 * const tests = connectorTests({
 *   module: "data:text/javascript,export default {}",
 *   type: "shelf",
 *   config: 'connector "c" { type = "shelf" }',
 * });
 * console.log(tests[0].title);
 * ```
 */
export function connectorTests(
  options: Omit<ConnectorTestOptions, "test">,
): readonly ConnectorTest[] {
  refuseInside(options);
  const { module } = options;
  if (typeof module === "string" && /^\.{1,2}\//.test(module)) {
    throw new TypeError(`module: write new URL(${JSON.stringify(module)}, import.meta.url)`);
  }
  return testsOf(RULES, new Subject(options as ConnectorTestOptions), {
    skip: options.skip,
    applies: ({ applies }) => applies?.(options) ?? true,
    broken: ({ name, title }, seen, cause) => new ConnectorRuleError(name, title, seen, cause),
  });
}

/**
 * Holds a connector to the rules of the contract, the same as the built-in connectors. Registers one
 * test for each rule. `docs/write-a-connector.md` explains the rules.
 *
 * @throws {TypeError} `skip` names a rule that does not exist.
 *
 * @example The tests of a connector that appends to a list
 * ```ts
 * import { testConnector } from "@weir/runtime/testing";
 *
 * const registered: string[] = [];
 * testConnector({
 *   test: (name) => registered.push(name), // `test` of "node:test", or Deno.test
 *   module: new URL("./list.ts", import.meta.url),
 *   type: "list",
 *   config: 'connector "c" { type = "list" }',
 *   destination: { payload: { text: "hello" } },
 * });
 * ```
 */
export function testConnector(options: ConnectorTestOptions): void {
  for (const { rule, title, run } of connectorTests(options)) {
    // Without a parameter: for a test that has one, Bun waits until a callback is called.
    options.test(`${options.type}: ${rule}: ${title}`, async (...[context]) => {
      const skipped = await run();
      if (skipped !== undefined) (context as TestContext | undefined)?.skip?.(skipped);
    });
  }
}
