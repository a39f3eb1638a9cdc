/** The globs of Redis: what its channels are matched with. They match bytes, as the server does. */
import type { Matcher } from "../../../../contract/subscriptions.ts";

/** One step of a glob: any bytes, or one byte that it takes. */
type Part = typeof ANY | ((byte: number) => boolean);

const ANY = Symbol("any bytes");
const encoder = new TextEncoder();
const codeOf = (character: string): number => character.charCodeAt(0);
const [STAR, QUESTION, OPEN, CLOSE, NOT, RANGE, ESCAPE] = [..."*?[]^-\\"].map(codeOf);

/** Whether a text is more than the name of one channel. */
export function isGlob(text: string): boolean {
  return /[*?[\\]/.test(text);
}

/**
 * Compiles a glob: `*` any bytes, `?` one byte, `[a-c]` and `[^a]` one byte of a set, `\` takes the
 * meaning of the next character away.
 */
export function compileGlob(glob: string): Matcher {
  if (!isGlob(glob)) return (text) => text === glob;
  const parts = partsOf(encoder.encode(glob));
  return (text) => fits(parts, encoder.encode(text));
}

function partsOf(glob: Uint8Array): readonly Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < glob.length; at++) {
    if (glob[at] === STAR) {
      parts.push(ANY);
    } else if (glob[at] === QUESTION) {
      parts.push(() => true);
    } else if (glob[at] === OPEN) {
      const set = setAt(glob, at + 1);
      parts.push(set.takes);
      at = set.end;
    } else {
      // A backslash at the end is a backslash.
      if (glob[at] === ESCAPE && at + 1 < glob.length) at++;
      const wanted = glob[at];
      parts.push((byte) => byte === wanted);
    }
  }
  return parts;
}

/** Reads a set whose first byte is at `at`. As in Redis, it may end with the glob. */
function setAt(glob: Uint8Array, at: number): { takes(byte: number): boolean; end: number } {
  const negated = glob[at] === NOT;
  const bytes = new Set<number>();
  let next = negated ? at + 1 : at;
  for (; next < glob.length; next++) {
    const left = glob.length - next;
    if (glob[next] === ESCAPE && left >= 2) {
      bytes.add(glob[++next]);
    } else if (glob[next] === CLOSE) {
      break;
    } else if (left >= 3 && glob[next + 1] === RANGE) {
      const [from, to] = [glob[next], glob[next + 2]].sort((a, b) => a - b);
      for (let byte = from; byte <= to; byte++) bytes.add(byte);
      next += 2;
    } else {
      bytes.add(glob[next]);
    }
  }
  return { takes: (byte) => bytes.has(byte) !== negated, end: next };
}

/** Goes back to the latest `*` where a byte does not fit; that is enough to find a match. */
function fits(parts: readonly Part[], bytes: Uint8Array): boolean {
  // Redis says no here, even to `*`.
  if (bytes.length === 0) return parts.length === 0;
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let byte = 0; byte < bytes.length;) {
    const part = parts[at];
    if (part === ANY) {
      star = at++;
      resume = byte;
    } else if (part?.(bytes[byte])) {
      at++;
      byte++;
    } else if (star >= 0) {
      at = star + 1;
      byte = ++resume;
    } else {
      return false;
    }
  }
  while (parts[at] === ANY) at++;
  return at === parts.length;
}
