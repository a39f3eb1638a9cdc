/** How large a pattern of RE2 becomes when it is compiled, found in its text alone. */

/** What a class of Unicode such as `\pL` holds at most: ranges of characters. */
const UNICODE_CLASS = 700;

/** What each other class holds. */
const CLASS = 4;

/** A range that ignores case is walked character by character. */
const FOLDED_RANGE = 5_000;

/** One group, as far as it is read. */
interface Group {
  /** What it holds so far. */
  weight: number;
  /** What a repetition at its end would repeat. */
  last: number;
}

/**
 * At least the instructions of the compiled pattern, repetitions multiplied and classes weighed by
 * what they hold. Text that is not a pattern has some weight, too.
 */
export function weightOf(pattern: string): number {
  const groups: Group[] = [{ weight: 0, last: 0 }];
  const folds = pattern.includes("(?");
  let at = 0;
  const add = (weight: number) => {
    const group = groups[groups.length - 1];
    group.weight += weight;
    group.last = weight;
  };
  while (at < pattern.length) {
    const token = tokenAt(pattern, at);
    at += token.length;
    const group = groups[groups.length - 1];
    if (token.startsWith("{") && token.length > 1) {
      const [least, most = least] = token.slice(1, -1).split(",").map(Number);
      const times = Math.max(least, most, 1);
      group.weight += group.last * times;
      group.last *= times + 1;
    } else if (token === "(") groups.push({ weight: 2, last: 0 });
    else if (token === ")" && groups.length > 1) {
      groups.pop();
      add(group.weight);
    } else add(tokenWeight(token, folds));
  }
  return groups.reduce((sum, { weight }) => sum + weight, 0);
}

const REPETITION = /\{\d+(?:,\d*)?\}/y;
const UNICODE = /\\[pP](?:\{[^}]*\}|[^{])/uy;
const FLAGS = /\(\?[^:>)]*[:>)]/y;

function tokenAt(pattern: string, at: number): string {
  switch (pattern[at]) {
    case "[":
      return pattern.slice(at, endOfClass(pattern, at));
    case "{":
      return stickyAt(REPETITION, pattern, at) ?? "{";
    case "(": {
      const flags = stickyAt(FLAGS, pattern, at);
      // `(?i)` opens nothing; in front of a group flags weigh nothing.
      return flags === undefined ? "(" : flags.endsWith(")") ? flags : "(";
    }
    case "\\": {
      if (pattern[at + 1] !== "Q") {
        return stickyAt(UNICODE, pattern, at) ?? pattern.slice(at, at + 2);
      }
      const end = pattern.indexOf("\\E", at);
      return end < 0 ? pattern.slice(at) : pattern.slice(at, end + 2);
    }
    default:
      return pattern[at];
  }
}

function stickyAt(expression: RegExp, text: string, at: number): string | undefined {
  expression.lastIndex = at;
  return expression.exec(text)?.[0];
}

/** A bracket that comes first belongs to the class, and so does one of `[:alpha:]`. */
function endOfClass(pattern: string, start: number): number {
  let at = start + 1;
  if (pattern[at] === "^") at++;
  if (pattern[at] === "]") at++;
  for (; at < pattern.length && pattern[at] !== "]"; at++) {
    if (pattern[at] === "\\") at++;
    else if (pattern.startsWith("[:", at)) {
      const end = pattern.indexOf(":]", at);
      if (end >= 0) at = end + 1;
    }
  }
  return at + 1;
}

function tokenWeight(token: string, folds: boolean): number {
  if (token[0] === "[") return classWeight(token, folds);
  if (token[0] !== "\\") return folds ? 2 * CLASS : 2;
  if (token[1] === "p" || token[1] === "P") return UNICODE_CLASS;
  return CLASS * token.length;
}

function classWeight(token: string, folds: boolean): number {
  let weight = CLASS;
  for (let at = 1; at < token.length; at++) {
    weight += folds ? CLASS : 2;
    if (token[at] === "\\" && /[pP]/.test(token[at + 1])) weight += UNICODE_CLASS;
    // A range that ends beyond ASCII may hold any number of characters.
    if (folds && token[at] === "-" && !/[ -[\]-~]/.test(token[at + 1])) weight += FOLDED_RANGE;
  }
  return weight;
}
