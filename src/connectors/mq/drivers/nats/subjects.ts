/** The subjects of NATS: tokens between dots, and patterns of them. */
import type { Matcher } from "../../../../contract/subscriptions.ts";

/** Exactly one token, and one or more at the end. Inside a token they mean themselves. */
const ONE = "*";
const REST = ">";

/** Whether a text may be published to: tokens without spaces, and none of them a wildcard. */
export function isSubject(text: string): boolean {
  return isSubjectPattern(text) && !tokensOf(text).some((token) => token === ONE || token === REST);
}

/** Whether a text may be subscribed to. */
export function isSubjectPattern(text: string): boolean {
  if (/[\s\0]/.test(text)) return false;
  const tokens = tokensOf(text);
  return tokens.every((token, i) => token !== "" && (token !== REST || i === tokens.length - 1));
}

/**
 * What of a pattern is most surely meant as the wildcard of another broker; it would match only itself.
 * Returns the part, and what to write.
 */
export function foreignWildcard(
  pattern: string,
): { readonly part: string; readonly hint: string } | undefined {
  for (const part of pattern.split(/[./]/)) {
    if (part === "#") return { part, hint: "one or more words at the end are >, such as orders.>" };
    if (part === "+" || (part.startsWith("{") && part.endsWith("}"))) {
      return { part, hint: `one word is *, such as orders.*; input.subject says which it was` };
    }
    if (part.length > 1 && /[*>]/.test(part)) {
      return { part, hint: "* and > are whole words, such as orders.*.new or orders.>" };
    }
  }
  return undefined;
}

/** Compiles a pattern. */
export function compileSubject(pattern: string): Matcher {
  const tokens = tokensOf(pattern);
  const open = tokens.at(-1) === REST;
  if (!open && !tokens.includes(ONE)) return (subject) => subject === pattern;
  const fixed = open ? tokens.slice(0, -1) : tokens;
  return (subject) => {
    const found = tokensOf(subject);
    return (open ? found.length > fixed.length : found.length === fixed.length) &&
      fixed.every((token, i) => token === ONE || token === found[i]);
  };
}

/** Whether a subject exists that both patterns match. */
export function subjectsMeet(a: string, b: string): boolean {
  const [one, other] = [tokensOf(a), tokensOf(b)];
  const most = Math.max(one.length, other.length);
  for (let i = 0; i < most; i++) {
    if (one[i] === undefined || other[i] === undefined) return false;
    if (one[i] === REST || other[i] === REST) return true;
    if (one[i] !== other[i] && one[i] !== ONE && other[i] !== ONE) return false;
  }
  return true;
}

/** Whether `outer` matches every subject that `inner` matches. */
export function subjectCovers(outer: string, inner: string): boolean {
  const [wide, narrow] = [tokensOf(outer), tokensOf(inner)];
  for (const [i, token] of wide.entries()) {
    if (narrow[i] === undefined) return false;
    if (token === REST) return true;
    if (narrow[i] === REST || (token !== ONE && token !== narrow[i])) return false;
  }
  return wide.length === narrow.length;
}

function tokensOf(subject: string): readonly string[] {
  return subject.split(".");
}
