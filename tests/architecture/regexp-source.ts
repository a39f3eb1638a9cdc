/** Finds the regular expressions in the source of a module. */

/** One regular expression, or one call that makes one. */
export interface Found {
  /** From 1. */
  readonly line: number;
  /** `/source/flags`, or the call as it is written, up to the end of its line. */
  readonly text: string;
  /** What the literal is made of; undefined for a call. */
  readonly literal?: { readonly source: string; readonly flags: string };
}

/** After these words a slash begins a regular expression, although they look like names. */
const KEYWORDS = new Set(
  "return typeof case in of new delete void throw await yield else do instanceof default".split(
    " ",
  ),
);

/** Behind the brackets of these a statement begins. */
const BRACKETED = new Set(["if", "while", "for", "with"]);

/** `RegExp(…)`, and the methods that compile a text which they are given as a pattern. */
const CALL = /^(?:RegExp|match|matchAll|search)$/;

/**
 * All regular expressions of a module: literals, calls of `RegExp`, calls of `match`, `matchAll` and
 * `search` on an argument that is not a literal, and the library's own that are named `…_REGEX`.
 */
export function regexpsIn(source: string): Found[] {
  return new Scanner(source).all();
}

class Scanner {
  readonly #source: string;
  readonly #found: Found[] = [];
  /** What comes before: a name, a number, a sign or `"` for a text. */
  #before = "";
  /** For each open bracket, the word in front of it. */
  readonly #open: string[] = [];
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  all(): Found[] {
    while (this.#at < this.#source.length) this.#step();
    return this.#found;
  }

  #step(): void {
    const first = this.#source[this.#at];
    if (this.#take(/\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\//y) !== undefined) return;
    if (first === "`" || (first === "}" && this.#open.at(-1) === "${")) this.#template();
    else if (this.#take(/"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'/y)) this.#before = '"';
    else if (first === "/" && this.#expectsValue()) this.#literal();
    else this.#token(first);
  }

  /** What a sticky pattern finds here. */
  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0];
    this.#at += text?.length ?? 0;
    return text;
  }

  #template(): void {
    if (this.#source[this.#at] === "}") this.#open.pop();
    for (this.#at++; this.#at < this.#source.length; this.#at++) {
      const character = this.#source[this.#at];
      if (character === "\\") this.#at++;
      else if (character === "`" || this.#source.startsWith("${", this.#at)) {
        const ends = character === "`";
        this.#at += ends ? 1 : 2;
        this.#before = ends ? '"' : "(";
        if (!ends) this.#open.push("${");
        return;
      }
    }
  }

  /** Whether a value begins here, so that a slash is not a division. */
  #expectsValue(): boolean {
    if (this.#before === "" || KEYWORDS.has(this.#before)) return true;
    return !/^[\w$"\])]/u.test(this.#before);
  }

  #literal(): void {
    const line = this.#line();
    const text = this.#take(/\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/y);
    if (text === undefined) throw new Error(`line ${line}: a slash that begins nothing`);
    const end = text.lastIndexOf("/");
    const literal = { source: text.slice(1, end), flags: text.slice(end + 1) };
    this.#found.push({ line, text, literal });
    this.#before = '"';
  }

  #token(first: string): void {
    const start = this.#at;
    const word = this.#take(/[\w$]+/y);
    if (word === undefined) return this.#sign(first);
    const end = this.#source.indexOf("\n", start);
    const text = this.#source.slice(start, end);
    const called = CALL.test(word) && /^\s*\((?:\s*[^/)\s]|$)/.test(text.slice(word.length));
    const compiles = called && (word === "RegExp" || this.#before === ".");
    if (compiles || word.endsWith("_REGEX")) this.#found.push({ line: this.#line(), text });
    this.#before = word;
  }

  #sign(sign: string): void {
    if (sign === "(" || sign === "{" || sign === "[") this.#open.push(this.#before);
    this.#at++;
    this.#before = sign;
    if (sign === ")" || sign === "}" || sign === "]") {
      // Behind `if (…)` a statement begins; behind any other bracket of this kind an operator.
      if (BRACKETED.has(this.#open.pop() ?? "") && sign === ")") this.#before = ";";
    }
  }

  #line(): number {
    return this.#source.slice(0, this.#at).split("\n").length;
  }
}
