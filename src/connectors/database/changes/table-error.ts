/** Tables of flows whose changes cannot be read. */
import { ConnectorError } from "../../../base/errors.ts";

/** Why the changes of a table cannot be read. */
export interface TableProblem {
  /** The table as flows name it. */
  readonly table: string;
  /** A sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** True if the table does not exist. */
  readonly unknown?: boolean;
}

/** The changes of some tables cannot be read; permanent. */
export class TableError extends ConnectorError {
  /** Of each of these tables. */
  readonly problems: readonly TableProblem[];

  /** `connector` is its name. */
  constructor(connector: string, problems: readonly TableProblem[]) {
    super(connector, problems.map(wordsOf).join("; "), { permanent: true });
    this.problems = problems;
  }
}

/** A problem and its hint in one sentence. */
export function wordsOf({ message, hint }: Pick<TableProblem, "message" | "hint">): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}
