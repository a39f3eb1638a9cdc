/**
 * Looks at the requests of a configuration before anything runs: `weir check` in a database that the
 * migrations make, `weir check --connect` in the real one.
 */
import type { TextRange } from "../../../contract/probe.ts";
import type { Inspected, Inspection, StatementOptions } from "../driver.ts";
import { Catalog, isTarget, Plans, RefusedWriteError } from "../plans.ts";
import { insertionOf } from "./inserted.ts";
import { QueryNames } from "./names.ts";
import { missingParameters } from "./parameters.ts";
import type { DatabaseRequest, FoundProblem } from "./request.ts";
import { Table } from "./table.ts";
import { wrongParameters } from "./values.ts";

/** A statement that is compiled later. */
interface Unprepared {
  readonly sql: string;
  readonly options: StatementOptions;
}

/**
 * Has the database compile the statement of each request that is known before any event, and reports
 * those that it refuses. One that names a table or column that does not exist waits where migrations
 * are pending.
 *
 * @throws {unknown} The database could not answer.
 */
export async function inspectRequests(
  database: Inspected,
  requests: readonly DatabaseRequest[],
): Promise<Inspection> {
  const inspector = new Inspector(database);
  for (const request of requests) await inspector.inspect(request);
  return inspector;
}

class Inspector implements Inspection {
  prepared = 0;
  waiting = 0;
  readonly #database: Inspected;
  readonly #catalog: Catalog;
  readonly #plans: Plans;

  constructor(database: Inspected) {
    this.#database = database;
    this.#catalog = new Catalog(database);
    const prepare = (sql: string, options: StatementOptions): Unprepared => ({ sql, options });
    this.#plans = new Plans({ dialect: database.dialect, prepare }, this.#catalog);
  }

  async inspect(request: DatabaseRequest): Promise<void> {
    const { options: { query }, target } = request;
    if (query !== undefined) {
      const { syntax } = this.#database.dialect;
      for (const problem of missingParameters(request, query, syntax)) request.report(problem);
      const plan = () => this.#plans.query(request.options, query).statement as Unprepared;
      if (await this.#compile(request, plan)) await this.#inspectValues(request, query);
    } else if (target !== undefined) await this.#inspectWrite(request, target);
  }

  async #inspectValues(request: DatabaseRequest, query: string): Promise<void> {
    const { details, dialect: { syntax }, pending } = this.#database;
    // For MySQL, a parameter is a literal that knows nothing of its column.
    if (details === undefined || pending > 0 || syntax === "mysql") return;
    const insertion = insertionOf(query, syntax);
    if (insertion === undefined) return;
    // Under another name it may be one that is not known.
    if (!(await this.#database.describe()).includes(insertion.table)) return;
    for (const problem of wrongParameters(request, insertion, details)) request.report(problem);
  }

  async #inspectWrite(request: DatabaseRequest, target: string): Promise<void> {
    const table = await Table.find(this.#database, request, target);
    const unknown = await table.unknownNames();
    if (unknown.length > 0) {
      if (this.#database.pending > 0) this.waiting++;
      else for (const problem of unknown) request.report(problem);
      return;
    }
    const write = table.write();
    if (write !== undefined) {
      const plan = async () => (await this.#plans.table(write)).statement as Unprepared;
      if (!await this.#compile(request, plan)) return;
    }
    for (const problem of table.wrongValues()) request.report(problem);
  }

  /** Whether the database takes the statement; reports what it refuses. */
  async #compile(
    request: DatabaseRequest,
    plan: () => Unprepared | Promise<Unprepared>,
  ): Promise<boolean> {
    const database = this.#database;
    try {
      const { sql, options } = await plan();
      await database.compile(sql, options);
      this.prepared++;
      return true;
    } catch (cause) {
      const problem = await this.#refusalOf(cause, request);
      if (this.#mayWait(cause)) this.waiting++;
      else if (problem !== undefined) request.report(problem);
      return false;
    }
  }

  /** Whether a pending migration may make what a statement needs. */
  #mayWait(cause: unknown): boolean {
    if (this.#database.pending === 0) return false;
    return cause instanceof RefusedWriteError
      ? cause.unknown !== undefined
      : this.#database.lacks(cause);
  }

  /** Undefined where the database that plays another one may be wrong. */
  async #refusalOf(cause: unknown, request: DatabaseRequest): Promise<FoundProblem | undefined> {
    const { query, key } = request.options;
    const { details } = this.#database;
    if (cause instanceof RefusedWriteError) {
      const { reason, hint, unknown } = cause;
      // Names were looked at before, as the database that is played compares them.
      if (unknown !== undefined && details?.isPlayed) return undefined;
      const attribute = unknown === undefined && key !== undefined ? "key" : "target";
      return refusal({ attribute, reason, kind: unknown, hint });
    }
    const found = this.#database.explain(cause);
    // It is no answer of the database.
    if (!found.permanent) throw cause;
    // The start makes them.
    if (found.unknown?.kind === "table" && !isTarget(found.unknown.name)) return undefined;
    if (query === undefined) {
      const { reason } = found;
      // The databases that SQLite plays write to simple views.
      if (details?.isPlayed && /^cannot modify .+ because it is a view$/.test(reason)) {
        return undefined;
      }
      const attribute = /^ON CONFLICT clause/.test(reason) ? "key" : "target";
      const [, field] = /^cannot \w+ (?:into )?generated column "(.+)"$/.exec(reason) ?? [];
      return refusal({ attribute, reason, field });
    }
    const { unknown } = found;
    if (details === undefined || unknown === undefined) {
      // What SQLite refuses for another reason, the database that it plays may take.
      if (details?.isPlayed) return undefined;
      const part = details?.place(query, cause);
      const hint = this.#catalog.hint(found);
      return refusal({ attribute: "query", reason: found.reason, kind: unknown?.kind, hint, part });
    }
    const names = await QueryNames.read(query, this.#database);
    const name = names.explain(unknown, details.place(query, cause));
    if (details.isPlayed && !names.isCertain(unknown, name.hint)) return undefined;
    return refusal({ attribute: "query", ...name });
  }
}

function refusal(
  { attribute, reason, kind, field, hint, part }: {
    readonly attribute: string;
    readonly reason: string;
    readonly field?: string | undefined;
    readonly kind?: "table" | "column" | undefined;
    readonly hint?: string | undefined;
    readonly part?: TextRange | undefined;
  },
): FoundProblem {
  return {
    code: kind === undefined ? "refused-statement" : `unknown-${kind}`,
    attribute,
    message: `cannot be prepared: ${reason}`,
    ...(field === undefined ? {} : { field }),
    ...(hint === undefined ? {} : { hint }),
    ...(part === undefined ? {} : { part }),
  };
}
