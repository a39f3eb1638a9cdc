/** What the author of a backplane tells its contract suite. */
import type { Backplane, BackplaneContext } from "../../../contract/backplane.ts";
import type { OutageOptions, RegisterTest } from "../options.ts";

/** The options of `testBackplane`. */
export interface BackplaneTestOptions {
  /** Registers a test with the runner: `test` of `node:test`, or `Deno.test`. */
  readonly test: RegisterTest;
  /** What the names of the tests begin with, such as the name of the broker. */
  readonly name: string;
  /** Makes the backplane of one instance, as `BackplaneType.create` does. */
  create(this: void, context: BackplaneContext): Backplane | Promise<Backplane>;
  /** With it, the suite also checks what happens while the broker is away. */
  readonly outage?: OutageOptions;
  /**
   * Rules that do not apply, by their name, each with the reason. They appear as skipped.
   *
   * @example `{ ttl: "the broker keeps keys for whole minutes" }`
   */
  readonly skip?: Readonly<Record<string, string>>;
  /**
   * How many milliseconds a message may be on its way, and how long it may take to connect again after
   * an outage. 4000 by default.
   */
  readonly patience?: number;
}
