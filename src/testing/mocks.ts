/** The mocks of a test: what connectors return instead of acting. */
import type { Clock } from "../base/clock.ts";
import { ConnectorError } from "../base/errors.ts";
import type { MockStep } from "../model/test.ts";

/** A request to a connector. */
export interface MockRequest {
  readonly connector: string;
  /** The name of the step; undefined for a destination. */
  readonly step: string | undefined;
  readonly operation: string | undefined;
  readonly target: string | undefined;
}

interface Mock {
  readonly model: MockStep;
  uses: number;
  /** Whether a later mock has replaced it. */
  replaced: boolean;
}

const CONDITIONS = ["step", "operation", "target"] as const;

/** The mocks of one test. */
export class Mocks {
  readonly #clock: Clock;
  readonly #mocks: Mock[] = [];

  /** Delays use `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Adds a mock. It replaces one with the same conditions and no limit of uses. */
  add(model: MockStep): void {
    for (const mock of this.#mocks) {
      const { subject, times } = mock.model;
      mock.replaced ||= times === Infinity && subject === model.subject &&
        CONDITIONS.every((name) => mock.model[name] === model[name]);
    }
    this.#mocks.push({ model, uses: 0, replaced: false });
  }

  /** The mock with the most matching conditions, then the first one; undefined if none matches. */
  find(request: MockRequest): (() => unknown) | undefined {
    const { connector } = request;
    const matching = this.#mocks.filter(({ model, uses, replaced }) =>
      !replaced && model.subject === connector && uses < model.times &&
      CONDITIONS.every((name) => model[name] === undefined || model[name] === request[name])
    );
    const [mock] = matching.sort((a, b) => precision(b) - precision(a));
    if (mock === undefined) return undefined;
    return () => {
      mock.uses++;
      return this.#answer(mock.model);
    };
  }

  /** The mocks that were never used. */
  get unused(): readonly MockStep[] {
    return this.#mocks.filter(({ uses }) => uses === 0).map(({ model }) => model);
  }

  #answer({ subject, returns, error, permanent, status, body, delay }: MockStep): unknown {
    const end = (): unknown => {
      if (error === undefined) return returns;
      throw new ConnectorError(subject, error, {
        permanent,
        ...(status !== undefined && { status }),
        ...(body !== undefined && { body }),
      });
    };
    if (delay === 0) return end();
    return new Promise<void>((resolve) => this.#clock.after(delay, resolve)).then(end);
  }
}

/** The number of its conditions. */
function precision({ model }: Mock): number {
  return CONDITIONS.filter((name) => model[name] !== undefined).length;
}
