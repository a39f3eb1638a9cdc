/** Runs the rules of a contract: each once, one at a time. */
import { Blocked, textOf } from "./failure.ts";

/** One rule of a contract. */
export interface RuleOf<S> {
  /** Stable. */
  readonly name: string;
  /** The rule as a sentence without a period. */
  readonly title: string;
  /**
   * Checks the rule. A rule about something that the subject does not have passes.
   *
   * @throws {Seen} The subject breaks the rule.
   * @throws {Blocked} Something failed that another rule is about.
   */
  check(subject: S): Promise<void>;
}

/** A rule as a test of one subject. */
export interface RuleTest {
  /** The name of the rule, such as `close`. Names are stable. */
  readonly rule: string;
  /** The rule as a sentence. */
  readonly title: string;
  /**
   * Checks the rule. Returns why it was not checked, if so: the author skips it, or another rule is
   * broken. A second call returns the result of the first one.
   */
  run(): Promise<string | undefined>;
}

/** What rules are checked with. */
export interface RunOptions<R> {
  /** Rules that do not apply, each with the reason. */
  readonly skip: Readonly<Record<string, string>> | undefined;
  /** Whether the author has given what a rule needs. */
  applies(rule: R): boolean;
  /** Makes the error of a broken rule. */
  broken(rule: R, seen: string, options: ErrorOptions): Error;
}

/** The result of a rule that is not broken. */
interface Result {
  /** Why it was not checked. */
  readonly skipped?: string;
  /** The broken rule that kept this one from being checked. */
  readonly broken?: string;
}

/**
 * The rules as tests.
 *
 * @throws {TypeError} `skip` names a rule that does not exist.
 */
export function testsOf<S extends { readonly broken: Set<string> }, R extends RuleOf<S>>(
  all: readonly R[],
  subject: S,
  { skip = {}, applies, broken }: RunOptions<R>,
): readonly RuleTest[] {
  for (const name of Object.keys(skip)) {
    if (!all.some((rule) => rule.name === name)) {
      const names = all.map((rule) => rule.name).join(", ");
      throw new TypeError(`skip: there is no rule "${name}": the rules are ${names}`);
    }
  }
  const rules = all.filter((rule) => applies(rule));
  const results = new Map<string, Promise<Result>>();
  const resultOf = (rule: R): Promise<Result> => {
    const known = results.get(rule.name);
    if (known !== undefined) return known;
    const result = Object.hasOwn(skip, rule.name)
      ? Promise.resolve({ skipped: skip[rule.name] })
      : check(rule);
    results.set(rule.name, result);
    return result;
  };
  /** If something failed that another rule is about, that one decides. */
  const check = async (rule: R): Promise<Result> => {
    try {
      await rule.check(subject);
      return {};
    } catch (error) {
      if (error instanceof Blocked && error.rule !== rule.name) {
        const other = rules.find(({ name }) => name === error.rule);
        const cause = other &&
          await resultOf(other).then((result) => result.broken, () => other.name);
        if (cause !== undefined) {
          subject.broken.add(cause);
          return { skipped: `the rule "${cause}" is broken`, broken: cause };
        }
      }
      subject.broken.add(rule.name);
      throw broken(rule, textOf(error), { cause: error });
    }
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
