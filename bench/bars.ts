/** Whether what was measured reaches what it must. */
import type { Figures } from "./results.ts";
import type { Bar } from "./scenario.ts";

/** A bar and what was measured of it. */
export interface Judgement {
  readonly bar: Bar;
  /** In the figure's own unit; undefined where it was not measured. */
  readonly value: number | undefined;
  readonly reached: boolean;
}

/** Compares medians. */
export function judge(bar: Bar, contenders: Readonly<Record<string, Figures>>): Judgement {
  const value = valueOf(bar, contenders[bar.of], contenders[bar.against ?? ""]);
  return { bar, value, reached: value !== undefined && meets(bar, value, bar.bound) };
}

/** Whether a value is as good as a bound, or better. */
export function meets(bar: Bar, value: number, bound: number): boolean {
  return isAtMost(bar) ? value <= bound : value >= bound;
}

/**
 * The bound that a value must not fall below by more than the slack, such as 0.8: that of the bar, or
 * what was kept of it where that did not reach it.
 */
export function slackBound(bar: Bar, kept: Judgement | undefined, slack: number): number {
  const bound = kept?.value === undefined || kept.reached ? bar.bound : kept.value;
  return isAtMost(bar) ? bound / slack : bound * slack;
}

/** Whether less is better. */
export function isAtMost({ figure }: Bar): boolean {
  return figure === "growth" || figure === "cost" || figure === "share";
}

function valueOf(
  { figure, against }: Bar,
  own: Figures | undefined,
  other: Figures | undefined,
): number | undefined {
  if (own === undefined || (against !== undefined && other === undefined)) return undefined;
  switch (figure) {
    case "cost":
      return own.cost.median;
    case "share":
      return own.share?.median;
    case "growth":
      return own.cost.median / other!.cost.median;
    case "efficiency":
      return other!.cost.median / own.cost.median;
    case "rate":
      return (own.rate?.median ?? 0) / (against === undefined ? 1 : other?.rate?.median ?? 0);
  }
}
