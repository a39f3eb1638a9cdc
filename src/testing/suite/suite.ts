/** The contract suite: every rule as a test of the author's runner. */
import { Blocked, ConnectorRuleError, textOf } from "./failure.ts";
import type { ConnectorTestOptions, TestContext } from "./options.ts";
import { refuseInside } from "./process.ts";
import type { Rule } from "./rule.ts";
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
  const subject = new Subject(options as ConnectorTestOptions);
  const skip = options.skip ?? {};
  for (const name of Object.keys(skip)) {
    if (!RULES.some((rule) => rule.name === name)) {
      const names = RULES.map((rule) => rule.name).join(", ");
      throw new TypeError(`skip: there is no rule "${name}": the rules are ${names}`);
    }
  }
  const rules = RULES.filter(({ applies }) => applies?.(options) ?? true);
  const results = new Map<string, Promise<Result>>();
  const resultOf = (rule: Rule): Promise<Result> => {
    const known = results.get(rule.name);
    if (known !== undefined) return known;
    const result = Object.hasOwn(skip, rule.name)
      ? Promise.resolve({ skipped: skip[rule.name] })
      : check(rule, subject, async (name) => {
        const other = rules.find((one) => one.name === name);
        return await (other && resultOf(other));
      });
    results.set(rule.name, result);
    return result;
  };
  let last: Promise<unknown> = Promise.resolve();
  return rules.map((rule) => ({
    rule: rule.name,
    title: rule.title,
    async run() {
      // One at a time, since they share the service, even if the runner runs several at once.
      const result = last.then(() => resultOf(rule));
      last = result.catch(() => undefined);
      return (await result).skipped;
    },
  }));
}

/** The result of a rule that is not broken. */
interface Result {
  /** Why it was not checked. */
  readonly skipped?: string;
  /** The broken rule that kept this one from being checked. */
  readonly broken?: string;
}

/** Checks a rule. If something failed that another rule is about, that one decides. */
async function check(
  { name, title, check }: Rule,
  subject: Subject,
  other: (rule: string) => Promise<Result | undefined>,
): Promise<Result> {
  try {
    await check(subject);
    return {};
  } catch (error) {
    if (error instanceof Blocked && error.rule !== name) {
      const broken = await other(error.rule).then((result) => result?.broken, () => error.rule);
      if (broken !== undefined) {
        subject.broken.add(broken);
        return { skipped: `the rule "${broken}" is broken`, broken };
      }
    }
    subject.broken.add(name);
    throw new ConnectorRuleError(name, title, textOf(error), { cause: error });
  }
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
