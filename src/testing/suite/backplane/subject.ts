/** The backplane under test: makes the instances of a service. */
import { systemClock } from "../../../base/clock.ts";
import type { Backplane, BackplaneContext } from "../../../contract/backplane.ts";
import { Blocked, needs, pause, within } from "../failure.ts";
import { silent } from "../logger.ts";
import { Outage } from "../outage.ts";
import type { RuleOf } from "../runner.ts";
import { BackplaneInstance } from "./instance.ts";
import type { BackplaneTestOptions } from "./options.ts";

/** How many milliseconds a step may take by default: below the limit of Bun's tests. */
const PATIENCE = 4_000;

/** One rule of the contract of backplanes. */
export interface BackplaneRule extends RuleOf<BackplaneSubject> {
  /** Whether it is about a broker that goes away. */
  readonly outage?: boolean;
}

/** The author's options, and what the rules share. */
export class BackplaneSubject {
  /** The rules that are known to be broken. */
  readonly broken: Set<string> = new Set();
  /** Takes the broker away. Does nothing if the author has not said how. */
  readonly outage: Outage;
  readonly patience: number;
  readonly #create: BackplaneTestOptions["create"];

  constructor({ create, outage, patience = PATIENCE }: Omit<BackplaneTestOptions, "test">) {
    this.#create = create;
    this.outage = new Outage(outage);
    this.patience = patience;
  }

  /** Runs a test of a rule with new instances of one service, and closes them in any case. */
  async with(act: (team: Team) => Promise<void>): Promise<void> {
    const made: BackplaneInstance[] = [];
    const service = `weir-suite-${crypto.randomUUID()}`;
    const make = async (of = service): Promise<BackplaneInstance> => {
      const context: BackplaneContext = {
        ...{ name: "backplane", logger: silent, clock: systemClock },
        service: of,
        instance: crypto.randomUUID().replaceAll("-", ""),
      };
      const create = async (): Promise<Backplane> => await this.#create(context);
      const backplane = await within("create()", create, this.patience);
      const instance = new BackplaneInstance(context.instance, backplane, this.patience);
      made.push(instance);
      return instance;
    };
    const join = async (of = service): Promise<BackplaneInstance> => {
      const instance = await make(of);
      await needs("open", async () => {
        await instance.open();
        await instance.connected();
      });
      return instance;
    };
    try {
      await act({ service, make, join });
      for (const instance of made) instance.sound();
    } catch (error) {
      await Promise.allSettled(made.map((instance) => instance.close()));
      throw error;
    }
    for (const instance of made) await needs("close", () => instance.close());
    await needs("close", async () => {
      // What is told after the end is told in the next turns of the event loop.
      await pause(0);
      for (const instance of made) instance.sound();
    });
  }
}

/** The instances of one rule. */
export interface Team {
  /** The service of those that are made without one. */
  readonly service: string;
  /** Makes an instance that is not open. */
  make(service?: string): Promise<BackplaneInstance>;
  /** Makes an instance that is connected. */
  join(service?: string): Promise<BackplaneInstance>;
}

/** Does not go on if one of these rules is known to be broken, since what follows may take long. */
export function requires({ broken }: BackplaneSubject, ...rules: readonly string[]): void {
  for (const rule of rules) {
    if (broken.has(rule)) throw new Blocked(rule, `the rule "${rule}" is broken`);
  }
}
