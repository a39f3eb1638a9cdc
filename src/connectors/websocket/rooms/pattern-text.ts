/** Reads the text of a `room` block's pattern: its wildcards, and what is wrong with them. */

/** What is wrong with a pattern, and where in its text. */
export interface PatternProblem {
  /** Completes a sentence that begins with the block: `the { is not closed`. */
  readonly message: string;
  /** A position in UTF-16 units. */
  readonly start: number;
  /** The position behind it. */
  readonly end: number;
}

/** A pattern in its parts. There is one more text than there are wildcards, which are between them. */
export interface PatternParts {
  readonly texts: readonly string[];
  /** The name of a `{name}`; undefined for `*`. */
  readonly wildcards: readonly (string | undefined)[];
  readonly problems: readonly PatternProblem[];
}

/** The form of a name, for `match.name` and `:name` in queries. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Reads any text. What is wrong stays a text in the parts. */
export function partsOf(text: string): PatternParts {
  const texts: string[] = [""];
  const wildcards: (string | undefined)[] = [];
  const problems: PatternProblem[] = [];
  for (let at = 0; at < text.length;) {
    const end = endOf(text, at);
    const piece = text.slice(at, end);
    const problem = problemOf(piece, wildcards, texts[texts.length - 1]);
    if (problem !== undefined) problems.push({ message: problem, start: at, end });
    if (problem === undefined && /^[*{]/.test(piece)) {
      wildcards.push(piece === "*" ? undefined : piece.slice(1, -1));
      texts.push("");
    } else texts[texts.length - 1] += piece;
    at = end;
  }
  return { texts, wildcards, problems };
}

/** The end of the wildcard that begins at `at`, or of the text up to the next one. */
function endOf(text: string, at: number): number {
  const first = text.charAt(at);
  if (first === "*" || first === "}") return at + 1;
  if (first === "{") return text.indexOf("}", at) + 1 || text.length;
  const next = text.slice(at).search(/[*{}]/);
  return next < 0 ? text.length : at + next;
}

/** What is wrong with a piece that follows these wildcards and the text `before`. */
function problemOf(
  piece: string,
  wildcards: readonly (string | undefined)[],
  before: string,
): string | undefined {
  if (piece === "}") return "the } has no {";
  if (!piece.startsWith("{")) return undefined;
  if (!piece.endsWith("}")) return "the { is not closed";
  const name = piece.slice(1, -1);
  if (name === "") return "the {} has no name";
  if (!NAME.test(name)) return `${JSON.stringify(name)} is not a name`;
  if (wildcards.includes(name)) return `it has the name "${name}" twice`;
  const last = wildcards.at(-1);
  return last !== undefined && before === ""
    ? `no text separates {${last}} from ${piece}`
    : undefined;
}
