/** The contract suite of backplanes: every rule as a test of the author's runner. */
import type { TestContext } from "../options.ts";
import { testsOf } from "../runner.ts";
import type { BackplaneTestOptions } from "./options.ts";
import { deliveryRules } from "./rules/delivery.ts";
import { historyRules } from "./rules/history.ts";
import { keyRules } from "./rules/keys.ts";
import { lifecycleRules } from "./rules/lifecycle.ts";
import { outageRules } from "./rules/outage.ts";
import { subscriptionRules } from "./rules/subscriptions.ts";
import { type BackplaneRule, BackplaneSubject } from "./subject.ts";

const RULES: readonly BackplaneRule[] = [
  ...lifecycleRules,
  ...deliveryRules,
  ...subscriptionRules,
  ...keyRules,
  ...historyRules,
  ...outageRules,
];

/** A backplane breaks a rule of the contract. The message says which rule, and what was seen. */
export class BackplaneRuleError extends Error {
  /** `BackplaneRuleError`. */
  override readonly name = "BackplaneRuleError";
  /** The name of the rule, such as `order`. Names are stable. */
  readonly rule: string;
  /** What was seen, one sentence. */
  readonly seen: string;

  /** `title` is the rule itself, as a sentence. */
  constructor(rule: string, title: string, seen: string, options?: ErrorOptions) {
    super(`${seen}\n  rule:  ${rule}: ${title}`, options);
    this.rule = rule;
    this.seen = seen;
  }
}

/** A rule of the contract, as a test of one backplane. */
export interface BackplaneTest {
  /** The name of the rule, such as `order`. Names are stable. */
  readonly rule: string;
  /** The rule as a sentence. */
  readonly title: string;
  /**
   * Checks the rule. Returns why it was not checked, if so: the author skips it, or another rule is
   * broken. A second call returns the result of the first one.
   *
   * @throws {BackplaneRuleError} The backplane breaks the rule.
   */
  run(): Promise<string | undefined>;
}

/**
 * The tests of `testBackplane` as a list, for a runner that is not a function of a name and a test.
 *
 * @throws {TypeError} `skip` names a rule that does not exist.
 *
 * @example
 * ```ts
 * import { backplaneTests } from "@weir/runtime/testing";
 *
 * const tests = backplaneTests({
 *   name: "carrier pigeons",
 *   create: () => Promise.reject(new Error("not yet")),
 * });
 * console.log(tests[0].title);
 * ```
 */
export function backplaneTests(
  options: Omit<BackplaneTestOptions, "test">,
): readonly BackplaneTest[] {
  return testsOf(RULES, new BackplaneSubject(options), {
    skip: options.skip,
    applies: ({ outage = false }) => !outage || options.outage !== undefined,
    broken: ({ name, title }, seen, cause) => new BackplaneRuleError(name, title, seen, cause),
  });
}

/**
 * Holds a backplane to the rules of its contract, the same as those of Redis, NATS and RabbitMQ.
 * Registers one test for each rule. Where the backplane says in its capabilities that it cannot do
 * something, the rules about it pass.
 *
 * @throws {TypeError} `skip` names a rule that does not exist.
 *
 * @example The tests of a backplane that links nobody yet
 * ```ts
 * import { testBackplane } from "@weir/runtime/testing";
 *
 * const registered: string[] = [];
 * testBackplane({
 *   test: (name) => registered.push(name), // `test` of "node:test", or Deno.test
 *   name: "carrier pigeons",
 *   create: () => Promise.reject(new Error("not yet")),
 * });
 * ```
 */
export function testBackplane(options: BackplaneTestOptions): void {
  for (const { rule, title, run } of backplaneTests(options)) {
    // Without a parameter: for a test that has one, Bun waits until a callback is called.
    options.test(`${options.name}: ${rule}: ${title}`, async (...[context]) => {
      const skipped = await run();
      if (skipped !== undefined) (context as TestContext | undefined)?.skip?.(skipped);
    });
  }
}
