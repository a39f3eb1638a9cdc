/** Collects what is wrong with a configuration. */
import { ConfigError } from "../base/errors.ts";
import { type Problem, problemWithoutPlace } from "../base/problem.ts";
import { problemAt, type Report, sortProblems, type SourceFile } from "../hcl/tree.ts";

/** The most problems that are reported, because each one searches for similar names. */
const MOST = 1_000;

/** Thrown at the problem after the last one that is reported. It ends the search for more. */
class TooManyProblems extends Error {
  override readonly name = "TooManyProblems";
}

/** The problems of one configuration. */
export class Problems {
  readonly #files: readonly SourceFile[];
  readonly #all: Problem[] = [];

  /** Starts with none. */
  constructor(files: readonly SourceFile[]) {
    this.#files = files;
  }

  /** Takes problems that have been found elsewhere. */
  add(problems: readonly Problem[]): void {
    for (const problem of problems) this.#take(problem);
  }

  /** Takes one. It ends `collect` where there are too many. */
  readonly report: Report = (problem) => this.#take(problemAt(problem));

  /** By file, line and column. */
  get sorted(): Problem[] {
    return sortProblems(this.#all, this.#files.map((file) => file.path));
  }

  /** Whether there are problems that keep the configuration from running. */
  get hasErrors(): boolean {
    return this.#all.some(isError);
  }

  /**
   * What `work` makes of the configuration.
   *
   * @throws {ConfigError} It has too many problems to look at all of it.
   */
  async collect<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof TooManyProblems)) throw error;
      const message = `there are more than ${MOST} problems; the others are not reported`;
      const last = problemWithoutPlace({ code: "too-many-problems", message });
      throw new ConfigError([...this.sorted, last]);
    }
  }

  #take(problem: Problem): void {
    if (this.#all.length < MOST) this.#all.push(problem);
    else if (isError(problem)) throw new TooManyProblems();
  }
}

function isError({ severity }: Problem): boolean {
  return severity === "error";
}
