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
  const atMost = bar.figure === "growth" || bar.figure === "cost";
  const reached = value !== undefined && (atMost ? value <= bar.bound : value >= bar.bound);
  return { bar, value, reached };
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
    case "growth":
      return own.cost.median / other!.cost.median;
    case "efficiency":
      return other!.cost.median / own.cost.median;
    case "rate":
      return (own.rate?.median ?? 0) / (against === undefined ? 1 : other?.rate?.median ?? 0);
  }
}
