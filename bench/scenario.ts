/** What a scenario of the benchmark is: contenders that are measured in turn, and what they must reach. */
import type { Tool, Toolchain } from "../tests/support/toolchain.ts";
import type { Pinning } from "./pinning.ts";

/** Who takes part, such as Weir on Node or a plain loop of `ws`. */
export interface Contender {
  /** What it is called in options and tables, such as `weir-node`. */
  readonly name: string;
  /** Its runtime; undefined for a program of its own, such as Mosquitto. */
  readonly runtime: Tool | undefined;
  /** What differs among contenders of one program, such as `{ clients: 1000 }`: the axis of a chart. */
  readonly variant?: Readonly<Record<string, number>>;
  /** Says what is missing on this machine and how to install it; undefined where nothing is. */
  readonly missing?: () => Promise<string | undefined>;
}

/** What one round found. Every figure is of this round alone. */
export interface Measurement {
  /** In the scenario's unit; less is better. */
  readonly cost: number;
  /** What was done in a second: deliveries, messages, connections. */
  readonly rate?: number;
  /** Milliseconds. */
  readonly p50?: number;
  /** Milliseconds. */
  readonly p99?: number;
  /** How busy the server's core was, from 0 to 1: near 1 says that the server was the bottleneck. */
  readonly load?: number;
  /** How busy the load generator's core was, from 0 to 1: below `load`, it did not hold the server up. */
  readonly generator?: number;
  /** The busiest worker's part of the CPU time of all workers, from 0 to 1. */
  readonly share?: number;
}

/** What a contender must reach, within one run. */
export interface Bar {
  /** The contender. */
  readonly of: string;
  /** The one that it is compared with; undefined where the bound is absolute. */
  readonly against?: string;
  /**
   * `efficiency`: cost of `against` through cost of `of`, at least the bound. `growth`: cost of `of`
   * through cost of `against`, at most. `rate`: rate of `of` through rate of `against`, or the rate
   * itself, at least. `cost` and `share`: the figure itself, at most.
   */
  readonly figure: "efficiency" | "growth" | "rate" | "cost" | "share";
  /** The bound, in the figure's own unit. */
  readonly bound: number;
  /** It means nothing on a machine with fewer cores. */
  readonly cores?: number;
}

/** What everything needs that is measured. */
export interface Bench {
  readonly tools: Toolchain;
  readonly pinning: Pinning;
  /** A first look, or the smoke test: fewer messages, the same ratios. */
  readonly quick: boolean;
}

/** A contender that is ready to be measured again and again. */
export interface Contest extends AsyncDisposable {
  /**
   * One round. The first is the warm-up, which nobody counts.
   *
   * @throws Error when anything was lost or answered wrongly.
   */
  measure(): Promise<Measurement>;
}

/** Something that is measured. */
export interface Scenario {
  /** What it is called in options and files, such as `fanout-16`. */
  readonly name: string;
  /** A heading. */
  readonly title: string;
  /** What is measured and how, in a sentence or two, for the report. */
  readonly about: string;
  /** The unit of a cost, such as `µs CPU a delivery`. */
  readonly unit: string;
  /** In the order in which they take their turns. */
  readonly contenders: readonly Contender[];
  readonly bars: readonly Bar[];
  /** The contenders of a round are measured side by side: what is no matter of time. */
  readonly together?: boolean;
  /** More rounds would say no more. */
  readonly rounds?: number;
  /** Starts a contender. */
  open(contender: Contender, bench: Bench): Promise<Contest>;
}
