/** Topic filters: how they are read, which topics they match, and how two of them overlap. */
import { isLongerThan } from "../../base/text.ts";
import type { Matcher } from "../../contract/subscriptions.ts";

/** How many bytes a topic or a filter has at most: MQTT writes its length in two bytes. */
export const LONGEST_TOPIC = 65_535;

/** A filter as an `operation` has it. */
export interface Filter {
  /** What the broker is asked for: `$share` is there, and a named level is `+`. */
  readonly subscription: string;
  /** The group of a shared subscription; undefined without one. */
  readonly group: string | undefined;
  /** Its levels, without `$share` and the group. */
  readonly levels: readonly string[];
  /** The names of levels, and which level each of them is. */
  readonly names: ReadonlyMap<string, number>;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SHARE = "$share/";

/** Reads an operation that `filterProblem` finds good; undefined means every topic. */
export function readFilter(operation = "#"): Filter {
  const [group, filter] = splitShare(operation);
  const names = new Map<string, number>();
  const levels = filter.split("/").map((level, at) => {
    if (!isNamed(level)) return level;
    names.set(level.slice(1, -1), at);
    return "+";
  });
  const shared = group === undefined ? "" : `${SHARE}${group}/`;
  return { subscription: `${shared}${levels.join("/")}`, group, levels, names };
}

/** What is wrong with an operation; completes a sentence that begins with `its operation`. */
export function filterProblem(operation: string): string | undefined {
  const [group, filter] = splitShare(operation);
  if (group !== undefined && (group === "" || /[+#{}]/.test(group))) {
    return "needs the name of a group behind $share/, without + and #";
  }
  if (filter === "") return "has no topic filter";
  if (operation.includes("\0")) return "has a NUL character";
  if (!operation.isWellFormed()) return "has half of a surrogate pair";
  if (isLongerThan(operation, LONGEST_TOPIC)) return `has more than ${LONGEST_TOPIC} bytes`;
  const levels = filter.split("/");
  const names = new Set<string>();
  for (const [at, level] of levels.entries()) {
    const shownLevel = JSON.stringify(level);
    if (isNamed(level)) {
      const name = level.slice(1, -1);
      if (!NAME.test(name)) return `has the level ${shownLevel}, which has no name in it`;
      if (names.has(name)) return `has the name "${name}" twice`;
      names.add(name);
    } else if (/[{}]/.test(level)) {
      return `has the level ${shownLevel}; a name in { } must be a whole level`;
    } else if (level === "#" && at < levels.length - 1) {
      return "has a # before its end; # is the last level";
    } else if (level.length > 1 && /[+#]/.test(level)) {
      return `has the level ${shownLevel}; + and # must be whole levels`;
    }
  }
  return undefined;
}

/** What is wrong with a topic to publish to; completes a sentence that begins with its name. */
export function topicProblem(topic: string): string | undefined {
  if (topic === "") return "is empty";
  if (/[+#]/.test(topic)) return "has a + or #, which only a topic filter may have";
  if (topic.includes("\0")) return "has a NUL character";
  if (!topic.isWellFormed()) return "has half of a surrogate pair, which cannot be sent";
  if (topic.startsWith(SHARE)) return "begins with $share/, which only a topic filter may have";
  return isLongerThan(topic, LONGEST_TOPIC) ? `has more than ${LONGEST_TOPIC} bytes` : undefined;
}

/** Compiles the levels of a filter: `+` matches one level, `#` at the end any number of them. */
export function compileLevels(levels: readonly string[]): Matcher {
  if (!levels.some(isWildcard)) {
    const exact = levels.join("/");
    return (topic) => topic === exact;
  }
  // Topics of the server itself are for those who name them.
  const sparesOwn = isWildcard(levels[0]);
  return (topic) => !(sparesOwn && topic.startsWith("$")) && fits(levels, topic);
}

/** Whether every topic that matches `inner` matches `outer`. */
export function covers(outer: readonly string[], inner: readonly string[]): boolean {
  if (isWildcard(outer[0]) && inner[0].startsWith("$")) return false;
  for (let at = 0; at < outer.length; at++) {
    if (outer[at] === "#") return true;
    if (at >= inner.length || inner[at] === "#") return false;
    if (outer[at] !== "+" && outer[at] !== inner[at]) return false;
  }
  return outer.length === inner.length;
}

/** Whether a topic can match both. */
export function overlap(one: readonly string[], other: readonly string[]): boolean {
  const [a, b] = [one[0], other[0]];
  if ((isWildcard(a) && b.startsWith("$")) || (isWildcard(b) && a.startsWith("$"))) return false;
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    if (one[at] === "#" || other[at] === "#") return true;
    if (at >= one.length || at >= other.length) return false;
    if (one[at] !== other[at] && one[at] !== "+" && other[at] !== "+") return false;
  }
  return true;
}

/** The values of a filter's names in a topic that matches it. */
export function namesIn(
  names: Filter["names"],
  topic: string,
): Readonly<Record<string, string>> {
  const levels = topic.split("/");
  return Object.fromEntries([...names].map(([name, at]) => [name, levels[at]]));
}

function splitShare(operation: string): readonly [group: string | undefined, filter: string] {
  if (!operation.startsWith(SHARE)) return [undefined, operation];
  const end = operation.indexOf("/", SHARE.length);
  if (end < 0) return [operation.slice(SHARE.length), ""];
  return [operation.slice(SHARE.length, end), operation.slice(end + 1)];
}

function isNamed(level: string): boolean {
  return level.startsWith("{") && level.endsWith("}");
}

function isWildcard(level: string): boolean {
  return level === "+" || level === "#";
}

/** Nothing is allocated: it runs for each message and flow. */
function fits(levels: readonly string[], topic: string): boolean {
  // Where the next level of the topic begins; beyond the end of the text if there is none.
  let start = 0;
  for (const level of levels) {
    // It matches the level before it, too: `a/#` matches `a`.
    if (level === "#") return true;
    if (start > topic.length) return false;
    const slash = topic.indexOf("/", start);
    const end = slash < 0 ? topic.length : slash;
    if (level !== "+" && (end - start !== level.length || !topic.startsWith(level, start))) {
      return false;
    }
    start = end + 1;
  }
  return start > topic.length;
}
