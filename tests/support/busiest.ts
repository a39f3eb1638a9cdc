/**
 * The largest share of the times that lies within `width`, from 0 to 1: how much of a storm comes at
 * once.
 */
export function busiest(times: readonly number[], width: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  let most = 0;
  let first = 0;
  for (const [last, time] of sorted.entries()) {
    while (time - sorted[first] > width) first++;
    most = Math.max(most, last - first + 1);
  }
  return most / sorted.length;
}
