/** Warns of a target that is a name, and was meant as an expression. */
import type { PlacedFlow, Surroundings } from "./flow.ts";

/** The variables that a target reads, without those that a slip makes of a common word. */
const VARIABLES = ["input", "output", "payload", "client", "constants", "results", "outputs"];

/** Warns of each target such as `inptu.room`: the name of a room, not a field of the event. */
export function warnOfNames(
  { requests }: PlacedFlow,
  { report }: Pick<Surroundings, "report">,
): void {
  for (const { subject, request: { target }, places } of requests) {
    if (typeof target !== "string") continue;
    const [, word = "", rest = ""] = /^([A-Za-z_]\w*)([.[].*)$/s.exec(target) ?? [];
    const variable = VARIABLES.find((name) => isSlip(word, name));
    if (variable === undefined) continue;
    report({
      code: "misspelled-variable",
      span: places.of("target"),
      message: `${subject}: its target is the name "${target}", since ${word} is no variable`,
      hint: `did you mean "${variable}${rest}"?`,
      severity: "warning",
    });
  }
}

/** Whether a word is a name with one slip: a swap, or a letter that is wrong, missing or too much. */
function isSlip(word: string, name: string): boolean {
  // A plural and a number make a word of its own, as in the keys "inputs.new" and "input1.state".
  if (/\d/.test(word)) return false;
  if (word === `${name}s` || name === `${word}s` || VARIABLES.includes(word)) return false;
  let start = 0;
  while (start < word.length && word[start] === name[start]) start++;
  const isSwap = word[start] === name[start + 1] && word[start + 1] === name[start] &&
    word.slice(start + 2) === name.slice(start + 2);
  return word.length > 0 && (isSwap || word.slice(start + 1) === name.slice(start + 1) ||
    word.slice(start + 1) === name.slice(start) || word.slice(start) === name.slice(start + 1));
}
