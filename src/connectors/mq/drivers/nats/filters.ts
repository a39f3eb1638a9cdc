/**
 * The subjects that a consumer asks for. The filters of a stream's consumer must not overlap, and a
 * queue group gets a message once however many of its subscriptions match: so overlapping operations
 * become one pattern that matches all that they do.
 */
import { subjectCovers, subjectsMeet } from "./subjects.ts";

/** Patterns that do not overlap and together match at least what `patterns` do. */
export function coveringSubjects(patterns: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const pattern of patterns) {
    let wide = pattern;
    // A wider pattern may overlap with one that the narrow one has left alone.
    for (let i = 0; i < found.length;) {
      if (!subjectsMeet(found[i], wide)) i++;
      else {
        wide = widened(found[i], wide);
        found.splice(i, 1);
        i = 0;
      }
    }
    found.push(wide);
  }
  return found.sort();
}

/** The narrowest pattern that matches what both do. */
function widened(a: string, b: string): string {
  if (subjectCovers(a, b)) return a;
  if (subjectCovers(b, a)) return b;
  const [one, other] = [a.split("."), b.split(".")];
  const tokens: string[] = [];
  for (let i = 0; i < one.length || i < other.length; i++) {
    const pair = [one[i], other[i]];
    if (pair.some((token) => token === undefined || token === ">")) {
      return [...tokens, ">"].join(".");
    }
    tokens.push(one[i] === other[i] ? one[i] : "*");
  }
  return tokens.join(".");
}

/**
 * Whether a pattern begins with a wildcard. Such a one does not match the subjects of NATS itself:
 * inboxes and the API of JetStream.
 */
export function isOpen(pattern: string): boolean {
  return pattern.startsWith("*") || pattern.startsWith(">");
}

/** Whether a subject is one of NATS itself, such as `_INBOX.…` or `$JS.…`. */
export function isInternal(subject: string): boolean {
  return subject.startsWith("$") || subject.startsWith("_");
}
