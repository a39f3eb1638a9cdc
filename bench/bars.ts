/** Whether a measured value reaches its bar. */
import type { Figures } from "./results.ts";
import type { Bar, Pair } from "./scenario.ts";

/** A bar and its measured value. */
export interface Judgement {
  readonly bar: Bar;
  /** In the figure's own unit; undefined where it was not measured. */
  readonly value: number | undefined;
  readonly reached: boolean;
}

/** Compares medians. */
export function judge(bar: Bar, contenders: Readonly<Record<string, Figures>>): Judgement {
  const plain = valueOf(bar, contenders[bar.of], contenders[bar.against ?? ""]);
  const value = bar.beside === undefined || plain === undefined
    ? plain
    : divided(plain, growthOf(bar.beside, contenders));
  return { bar, value, reached: value !== undefined && meets(bar, value, bar.bound) };
}

/** Whether a value is as good as a bound, or better. */
export function meets(bar: Bar, value: number, bound: number): boolean {
  return isAtMost(bar) ? value <= bound : value >= bound;
}

/**
 * The bar's bound with a slack, such as 0.8. Where the saved result does not reach the bar, that
 * result takes the bound's place: it must not become worse.
 */
export function slackBound(bar: Bar, kept: Judgement | undefined, slack: number): number {
  const bound = kept?.value === undefined || kept.reached ? bar.bound : kept.value;
  return isAtMost(bar) ? bound / slack : bound * slack;
}

/** Whether less is better. */
export function isAtMost({ figure }: Bar): boolean {
  return ["growth", "beyond", "cost", "p50", "share"].includes(figure);
}

function growthOf(
  { of, against }: Pair,
  contenders: Readonly<Record<string, Figures>>,
): number | undefined {
  return valueOf({ of, against, figure: "growth", bound: 0 }, contenders[of], contenders[against]);
}

function divided(value: number, by: number | undefined): number | undefined {
  return by === undefined ? undefined : value / by;
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
    case "p50":
      return own.p50?.median;
    case "share":
      return own.share?.median;
    case "growth":
      return own.cost.median / other!.cost.median;
    case "beyond":
      return own.cost.median - other!.cost.median;
    case "efficiency":
      return other!.cost.median / own.cost.median;
    case "rate":
      return (own.rate?.median ?? 0) / (against === undefined ? 1 : other?.rate?.median ?? 0);
  }
}
