/** A scenario of the benchmark: contenders that are measured in turn, and the bars that they must reach. */
import type { Tool, Toolchain } from "../tests/support/toolchain.ts";
import type { Pinning } from "./pinning.ts";

/** A program that is measured, such as Weir on Node or a plain loop of `ws`. */
export interface Contender {
  /** Its name in options and tables, such as `weir-node`. */
  readonly name: string;
  /** Its runtime; undefined for a program of its own, such as Mosquitto. */
  readonly runtime: Tool | undefined;
  /** What differs among contenders of one program, such as `{ clients: 1000 }`: the axis of a chart. */
  readonly variant?: Readonly<Record<string, number>>;
  /** Says what is missing on this machine and how to install it; undefined where nothing is. */
  readonly missing?: () => Promise<string | undefined>;
}

/** The figures of one round. */
export interface Measurement {
  /** In the scenario's unit; less is better. */
  readonly cost: number;
  /** Deliveries, messages or connections a second. */
  readonly rate?: number;
  /** Milliseconds. */
  readonly p50?: number;
  /** Milliseconds. */
  readonly p99?: number;
  /** How busy the server's core was, from 0 to 1. Near 1, the server was the bottleneck. */
  readonly load?: number;
  /** How busy the load generator's core was, from 0 to 1. Below `load`, it did not slow the server down. */
  readonly generator?: number;
  /** The busiest worker's part of the CPU time of all workers, from 0 to 1. */
  readonly share?: number;
}

/** Two contenders whose costs are compared. */
export interface Pair {
  readonly of: string;
  readonly against: string;
}

/** What a contender must reach, within one run. */
export interface Bar {
  /** The contender. */
  readonly of: string;
  /** The one that it is compared with; undefined where the bound is absolute. */
  readonly against?: string;
  /**
   * `efficiency`: cost of `against` divided by cost of `of`, at least the bound. `growth`: cost of
   * `of` divided by cost of `against`, at most. `beyond`: cost of `of` without that of `against`, at
   * most. `rate`: rate of `of` divided by rate of `against`, or
   * the rate itself, at least. `cost`, `p50` and `share`: the figure itself, at most.
   */
  readonly figure: "efficiency" | "growth" | "beyond" | "rate" | "cost" | "p50" | "share";
  /** The bound, in the figure's own unit. */
  readonly bound: number;
  /** With `growth`: a pair by whose growth it is divided, such as the floor's. */
  readonly beside?: Pair;
  /** It means nothing on a machine with fewer cores. */
  readonly cores?: number;
}

/** What every contender is measured with. */
export interface Bench {
  readonly tools: Toolchain;
  readonly pinning: Pinning;
  /** Fewer messages, for a first look or the smoke test. */
  readonly quick: boolean;
}

/** A contender that is started and can be measured any number of times. */
export interface Contest extends AsyncDisposable {
  /**
   * One round. The first is the warm-up, which is not counted.
   *
   * @throws Error when anything was lost or the answer was wrong.
   */
  measure(): Promise<Measurement>;
}

/** Something that is measured. */
export interface Scenario {
  /** Its name in options and files, such as `fanout-16`. */
  readonly name: string;
  /** A heading. */
  readonly title: string;
  /** What is measured and how, in a sentence or two, for the report. */
  readonly about: string;
  /** The unit of a cost, such as `µs CPU a delivery`. */
  readonly unit: string;
  /** In the order in which they are measured. */
  readonly contenders: readonly Contender[];
  readonly bars: readonly Bar[];
  /** All contenders of a round are measured at the same time. For figures that do not depend on time. */
  readonly together?: boolean;
  /** The most rounds that are useful. */
  readonly rounds?: number;
  /** Starts a contender. */
  open(contender: Contender, bench: Bench): Promise<Contest>;
}
