/** Counts what the patterns of types do for one value. */
import { Meter } from "../expression/mod.ts";

/** The steps of one value, which all types of a configuration count together. */
export class Steps {
  /** Of the value that is being checked. */
  meter = new Meter();

  /** Begins with another value. */
  renew(): void {
    this.meter = new Meter();
  }

  /** Whether it holds; what there are no steps left for does not. */
  within(holds: (meter: Meter) => boolean): boolean {
    if (this.meter.exhausted) return false;
    try {
      return holds(this.meter);
    } catch (error) {
      if (this.meter.exhausted) return false;
      throw error;
    }
  }
}
