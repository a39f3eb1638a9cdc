/** What connectors return in a test instead of acting. */
import type { Clock } from "../base/clock.ts";
import { ConnectorError } from "../base/errors.ts";
import type { MockStep } from "../model/test.ts";

/** What a connector is asked. */
export interface Question {
  readonly connector: string;
  /** The name of the step that asks; undefined for a destination. */
  readonly step: string | undefined;
  readonly operation: string | undefined;
  readonly target: string | undefined;
}

interface Mock {
  readonly model: MockStep;
  answered: number;
  /** Another has taken its place. */
  replaced: boolean;
}

const CONDITIONS = ["step", "operation", "target"] as const;

/** The mocks of one test. */
export class Mocks {
  readonly #clock: Clock;
  readonly #mocks: Mock[] = [];

  /** Delays are on `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on it answers; it takes the place of one that answers the same without end. */
  add(model: MockStep): void {
    for (const mock of this.#mocks) {
      const { subject, times } = mock.model;
      mock.replaced ||= times === Infinity && subject === model.subject &&
        CONDITIONS.every((name) => mock.model[name] === model[name]);
    }
    this.#mocks.push({ model, answered: 0, replaced: false });
  }

  /** What answers, the most exact one first, then in the order written; undefined for nothing. */
  find(question: Question): (() => unknown) | undefined {
    const { connector } = question;
    const matching = this.#mocks.filter(({ model, answered, replaced }) =>
      !replaced && model.subject === connector && answered < model.times &&
      CONDITIONS.every((name) => model[name] === undefined || model[name] === question[name])
    );
    const [mock] = matching.sort((a, b) => precision(b) - precision(a));
    if (mock === undefined) return undefined;
    return () => {
      mock.answered++;
      return this.#answer(mock.model);
    };
  }

  /** Those that nothing has asked. */
  get unused(): readonly MockStep[] {
    return this.#mocks.filter(({ answered }) => answered === 0).map(({ model }) => model);
  }

  #answer({ subject, returns, error, permanent, delay }: MockStep): unknown {
    const end = (): unknown => {
      if (error === undefined) return returns;
      throw new ConnectorError(subject, error, { permanent });
    };
    if (delay === 0) return end();
    return new Promise<void>((resolve) => this.#clock.after(delay, resolve)).then(end);
  }
}

/** How many conditions it has. */
function precision({ model }: Mock): number {
  return CONDITIONS.filter((name) => model[name] !== undefined).length;
}
