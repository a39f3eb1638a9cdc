/**
 * Whether a regular expression takes time that grows with the length of the text alone.
 *
 * A backtracking matcher is slow where one text can be read in several ways: from one state to
 * itself on two ways (exponential), or from one state to itself, on to a second one, and from the
 * second to itself, on the same text (quadratic or worse). The tries at every position of the text
 * are such a state, too. States from which nothing can fail are left out.
 * (Weideman and others, "Analyzing matching time behavior of backtracking regular expression
 * matchers by using ambiguity of NFA".)
 */
import { type Edge, parseRegexp, type States } from "./regexp-states.ts";

/** What makes a regular expression slow; undefined for one that is not. */
export function slowness(source: string, flags: string): string | undefined {
  let states: States;
  try {
    states = parseRegexp(source, flags);
  } catch (error) {
    return `it cannot be judged: ${(error as Error).message}`;
  }
  return new Judge(states).verdict();
}

class Judge {
  readonly #states: States;
  /** The states that each state reaches. */
  readonly #reach: ReadonlySet<number>[];

  constructor(states: States) {
    this.#states = keepFailing(states);
    this.#reach = this.#states.edges.map((_, from) => reachable(this.#states, from));
  }

  verdict(): string | undefined {
    const { edges, names } = this.#states;
    for (const [from, out] of edges.entries()) {
      for (const { to, ways } of out) {
        if (ways > 1 && this.#reach[to].has(from)) return `${names[from]} repeats in two ways`;
      }
    }
    const loops = edges.map((_, state) => state).filter((state) => this.#reach[state].has(state));
    for (const first of loops) {
      if (this.#isAmbiguous(first)) return `${names[first]} repeats in two ways`;
      for (const second of loops) {
        if (first === second || !this.#reach[first].has(second)) continue;
        if (this.#overlap(first, second)) return `${names[first]} and ${names[second]} overlap`;
      }
    }
    return undefined;
  }

  /** Two different ways from a state to itself on one text. */
  #isAmbiguous(state: number): boolean {
    return this.#search([state, state], [state, state], ([a, b]) => a !== b);
  }

  /** One text on which `first` returns to itself and leads to `second`, which returns to itself. */
  #overlap(first: number, second: number): boolean {
    return this.#search([first, first, second], [first, second, second]);
  }

  /** Whether tuples of states lead from `start` to `goal` on one text, through one that `passes`. */
  #search(
    start: readonly number[],
    goal: readonly number[],
    passes?: (tuple: readonly number[]) => boolean,
  ): boolean {
    const key = (tuple: readonly number[], passed: boolean) => `${tuple},${passed}`;
    const wanted = key(goal, true);
    const open: [readonly number[], boolean][] = [[start, passes === undefined]];
    const seen = new Set<string>();
    for (let next; (next = open.pop()) !== undefined;) {
      const [tuple, passed] = next;
      for (const to of this.#steps(tuple, goal)) {
        const now = passed || passes?.(to) === true;
        const name = key(to, now);
        if (name === wanted) return true;
        if (!seen.has(name)) {
          seen.add(name);
          open.push([to, now]);
        }
      }
    }
    return false;
  }

  #steps(tuple: readonly number[], goal: readonly number[]): number[][] {
    let found: { readonly to: number[]; readonly on: bigint }[] = [{ to: [], on: -1n }];
    for (const [i, state] of tuple.entries()) {
      found = found.flatMap(({ to, on }) =>
        this.#states.edges[state]
          .filter((edge) => (edge.on & on) !== 0n)
          .filter((edge) => edge.to === goal[i] || this.#reach[edge.to].has(goal[i]))
          .map((edge) => ({ to: [...to, edge.to], on: edge.on & on }))
      );
    }
    return found.map(({ to }) => to);
  }
}

function reachable({ edges }: States, from: number): Set<number> {
  const seen = new Set<number>();
  const open = [from];
  for (let state; (state = open.pop()) !== undefined;) {
    for (const { to } of edges[state]) {
      if (!seen.has(to)) open.push(to);
      seen.add(to);
    }
  }
  return seen;
}

/**
 * Without the states that no failure leads back to. In a single match these are all where it can
 * end; in one that is repeated from there, those that lead to nothing else.
 */
function keepFailing(states: States): States {
  const { accepts, repeats } = states;
  const isSafe = states.edges.map((_, state) =>
    accepts[state] && (!repeats || [...reachable(states, state)].every((to) => accepts[to]))
  );
  const edges = states.edges.map((out, state): readonly Edge[] =>
    isSafe[state] ? [] : out.filter(({ to }) => !isSafe[to])
  );
  return { ...states, edges };
}
