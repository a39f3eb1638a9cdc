/** The floor: the server in C that does the least, as a measure for all others. */
import type { Scenario } from "./scenario.ts";

/** Whether a contender is the floor, which has one variant for each of the others. */
export function isFloor(name: string): boolean {
  return name === "floor" || name.startsWith("floor-");
}

/** The floor with a contender's variant; undefined where the scenario has none. */
export function floorOf({ contenders }: Scenario, name: string): string | undefined {
  const own = JSON.stringify(contenders.find((each) => each.name === name)?.variant);
  return contenders.find((each) => isFloor(each.name) && JSON.stringify(each.variant) === own)
    ?.name;
}
