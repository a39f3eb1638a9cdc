/** Turns a regular expression into the states between which a matcher moves. */

/** One step on one character. */
export interface Edge {
  readonly to: number;
  /** The characters on which it is taken, a bit for each kind of character. */
  readonly on: bigint;
  /** In how many ways; 2 means two or more. */
  readonly ways: number;
}

/** The states of a matcher, each named by its number. */
export interface States {
  readonly edges: readonly (readonly Edge[])[];
  /** What each has read last, as it is written. */
  readonly names: readonly string[];
  /** Where the match can end without any condition. */
  readonly accepts: readonly boolean[];
  /** Whether the next match begins where one has ended. */
  readonly repeats: boolean;
}

/** A part of a regular expression: one character, a condition, or several parts. */
type Part =
  | { readonly kind: "character"; readonly text: string }
  | { readonly kind: "condition"; readonly text: string }
  | { readonly kind: "sequence" | "choice"; readonly parts: readonly Part[] }
  | { readonly kind: "repeat"; readonly part: Part; readonly min: number; readonly max: number };

/** Longer repetitions count as endless. */
const LONGEST = 20;

/** Characters of every kind that a class may tell apart. */
const ALPHABET = [
  ...Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)),
  ..."\u0085\u00a0µßéÉÿıſKİ\u0301\u0660\u2028\u2029\u3000中\ud800\udc00\ufeff\ufffd",
  ...["😀", "𝔸"],
];

/** Throws for what it does not know: back-references, and look-around that repeats without end. */
export function parseRegexp(source: string, flags: string): States {
  const parser = new Parser(source, flags);
  const part = parser.choice();
  parser.end();
  return new Builder(flags, source).build(part);
}

class Parser {
  readonly #source: string;
  readonly #unicode: boolean;
  #at = 0;

  constructor(source: string, flags: string) {
    this.#source = source;
    this.#unicode = /[uv]/.test(flags);
  }

  end(): void {
    if (this.#at < this.#source.length) throw new Error(`"${this.#source.slice(this.#at)}"`);
  }

  choice(): Part {
    const parts = [this.#sequence()];
    while (this.#take(/\|/y) !== undefined) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0] : { kind: "choice", parts };
  }

  #sequence(): Part {
    const parts: Part[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at])) {
      parts.push(this.#quantified(this.#atom()));
    }
    return { kind: "sequence", parts };
  }

  #quantified(part: Part): Part {
    const quantifier = this.#take(/(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (quantifier === undefined) return part;
    if (quantifier[0] === "?") return { kind: "repeat", part, min: 0, max: 1 };
    if (quantifier[0] === "*") return { kind: "repeat", part, min: 0, max: Infinity };
    if (quantifier[0] === "+") return { kind: "repeat", part, min: 1, max: Infinity };
    const [min, max = min] = quantifier.slice(1, quantifier.indexOf("}")).split(",");
    return { kind: "repeat", part, min: Number(min), max: max === "" ? Infinity : Number(max) };
  }

  #atom(): Part {
    const condition = this.#take(/\^|\$|\\b|\\B/y);
    if (condition !== undefined) return { kind: "condition", text: condition };
    const group = this.#take(/\((?:\?(?::|<?[=!]|<[A-Za-z]\w*>))?/y);
    if (group !== undefined) {
      const part = this.choice();
      if (this.#take(/\)/y) === undefined) throw new Error("a group without end");
      if (!/[=!]$/.test(group)) return part;
      if (isEndless(part)) throw new Error("look-around that repeats without end");
      return { kind: "condition", text: group };
    }
    const back = this.#take(/\\(?:[1-9]|k<)/y);
    if (back !== undefined) throw new Error("a back-reference");
    const text = this.#take(
      this.#unicode
        ? /\[(?:\\.|[^\]\\])*\]|\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\.|[^\\]/uy
        : /\[(?:\\.|[^\]\\])*\]|\\u[\da-fA-F]{4}|\\x[\da-fA-F]{2}|\\c[A-Za-z]|\\.|[^\\]/y,
    );
    if (text === undefined) throw new Error(`"${this.#source.slice(this.#at)}"`);
    return { kind: "character", text };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#source)?.[0];
    this.#at += text?.length ?? 0;
    return text;
  }
}

function isEndless(part: Part): boolean {
  switch (part.kind) {
    case "repeat":
      return part.max > LONGEST || isEndless(part.part);
    case "sequence":
    case "choice":
      return part.parts.some(isEndless);
    default:
      return false;
  }
}

/** A step that reads nothing. */
interface Jump {
  readonly to: number;
  /** What must hold for it, such as `$`; undefined for nothing. */
  readonly condition?: string;
}

/** A state that is reached without reading. */
interface Reached {
  /** In how many ways. */
  count: number;
  /** Whether one of them has no condition. */
  sure: boolean;
}

class Builder {
  readonly #flags: string;
  readonly #sticky: boolean;
  readonly #repeats: boolean;
  readonly #alphabet: readonly string[];
  readonly #jumps: Jump[][] = [];
  /** The states that read a character, and what they read. */
  readonly #reads = new Map<number, { readonly text: string; readonly on: bigint; to: number }>();

  constructor(flags: string, source: string) {
    this.#flags = flags.replaceAll(/[gyd]/g, "");
    this.#sticky = flags.includes("y");
    this.#repeats = /[gy]/.test(flags);
    this.#alphabet = [...new Set([...ALPHABET, ...source])];
  }

  build(part: Part): States {
    const start = this.#state();
    const end = this.#add(part, start);
    const readers = [...this.#reads];
    const edgesOf = (reached: ReadonlyMap<number, Reached>): Edge[] =>
      readers.flatMap(([state, { on }], i) => {
        const count = reached.get(state)?.count ?? 0;
        return count === 0 ? [] : [{ to: i + 3, on, ways: Math.min(2, count) }];
      });
    const all = (1n << BigInt(this.#alphabet.length)) - 1n;
    const breaks = this.#matched("[\\n\\r\\u2028\\u2029]");
    const search: Edge[] = this.#sticky
      ? []
      : [{ to: 1, on: all & ~breaks, ways: 1 }, { to: 2, on: breaks, ways: 1 }];
    const passed = (...never: readonly string[]) =>
      this.#sticky ? [] : [...search, ...edgesOf(this.#ways(start, never))];
    const behind = readers.map(([, { to }]) => this.#ways(to));
    return {
      // Before the text, behind a character and behind a line break that the search has passed over,
      // behind each character of the match.
      edges: [
        [...search, ...edgesOf(this.#ways(start))],
        passed("^", "line"),
        passed("^"),
        ...behind.map(edgesOf),
      ],
      names: [
        "the start",
        "the search",
        "the search of lines",
        ...readers.map(([, { text }]) => `"${text}"`),
      ],
      accepts: [false, false, false, ...behind.map((reached) => reached.get(end)?.sure ?? false)],
      repeats: this.#repeats,
    };
  }

  #state(): number {
    return this.#jumps.push([]) - 1;
  }

  #jump(from: number, to: number, condition?: string): void {
    this.#jumps[from].push(condition === undefined ? { to } : { to, condition });
  }

  /** Adds a part behind the state `from`. Returns the state behind it. */
  #add(part: Part, from: number): number {
    switch (part.kind) {
      case "character": {
        const reader = this.#state();
        const to = this.#state();
        this.#jump(from, reader);
        this.#reads.set(reader, { text: part.text, on: this.#matched(part.text), to });
        return to;
      }
      case "condition": {
        const to = this.#state();
        // With the flag m the start is behind every line break.
        this.#jump(from, to, part.text === "^" && this.#flags.includes("m") ? "line" : part.text);
        return to;
      }
      case "sequence":
        return part.parts.reduce((state, inner) => this.#add(inner, state), from);
      case "choice": {
        const to = this.#state();
        for (const inner of part.parts) {
          const branch = this.#state();
          this.#jump(from, branch);
          this.#jump(this.#add(inner, branch), to);
        }
        return to;
      }
      case "repeat":
        return this.#repeat(part, from);
    }
  }

  #repeat({ part, min, max }: Extract<Part, { kind: "repeat" }>, from: number): number {
    let state = from;
    for (let i = 0; i < Math.min(min, LONGEST); i++) state = this.#add(part, state);
    const end = this.#state();
    if (max > LONGEST) {
      const loop = this.#state();
      this.#jump(state, loop);
      const behind = this.#add(part, loop);
      this.#jump(behind, loop);
      this.#jump(loop, end);
      return end;
    }
    for (let i = min; i < max; i++) {
      this.#jump(state, end);
      state = this.#add(part, state);
    }
    this.#jump(state, end);
    return end;
  }

  #matched(text: string): bigint {
    const pattern = new RegExp(`^(?:${text})$`, this.#flags);
    return this.#alphabet.reduce(
      (bits, character, i) => pattern.test(character) ? bits | (1n << BigInt(i)) : bits,
      0n,
    );
  }

  /** The states that are reached without reading, where the conditions `never` do not hold. */
  #ways(from: number, never: readonly string[] = []): Map<number, Reached> {
    const found = new Map<number, Reached>();
    const visit = (state: number, sure: boolean, path: ReadonlySet<Jump>) => {
      const known = found.get(state) ?? { count: 0, sure: false };
      known.count++;
      known.sure ||= sure;
      found.set(state, known);
      // Three ways are as bad as two; this keeps the walk short.
      if (known.count > 3) return;
      for (const jump of this.#jumps[state]) {
        if (path.has(jump) || never.includes(jump.condition ?? "")) continue;
        visit(jump.to, sure && jump.condition === undefined, new Set([...path, jump]));
      }
    };
    visit(from, true, new Set());
    return found;
  }
}
