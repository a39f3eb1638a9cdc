/** Writes to tables, and queries: from a request to a statement, its values and its result. */
import { ConnectorError } from "../../base/errors.ts";
import { isObject } from "../../base/json.ts";
import { didYouMean } from "../../base/nearest.ts";
import { kindName, quoted } from "../../base/shown.ts";
import { isPromiseLike } from "../../base/promise-like.ts";
import type { Cancellable, WriteRequest } from "../../contract/connector.ts";
import type { Database, Result, Session, Statement, Step, Transaction } from "./driver.ts";
import type { DatabaseDestination } from "./options.ts";
import { Catalog, type Plan, Plans } from "./plans.ts";

/** Answers the requests for one open database. */
export class Requests {
  readonly #connector: string;
  readonly #database: Database;
  readonly #catalog: Catalog;
  readonly #plans: Plans;

  /** `connector` is the connector's name, for errors. */
  constructor(connector: string, database: Database) {
    this.#connector = connector;
    this.#database = database;
    this.#catalog = new Catalog(database);
    this.#plans = new Plans(database, this.#catalog);
  }

  /**
   * Writes or reads, in an open transaction if there is a session. Returns no promise where a read is
   * quick, or all of a transaction is.
   *
   * @throws {ConnectorError} Permanent where the request itself is wrong.
   */
  write(request: WriteRequest<DatabaseDestination>, session?: Session): unknown {
    return request.options.query === undefined
      ? this.#writeTable(request, session)
      : this.#runQuery(request, request.options.query, session);
  }

  /** Calls `work` in a transaction; an error that it throws stays as it is. */
  transact<T>(work: (session: Session) => T | PromiseLike<T>): Cancellable<T> {
    return this.#database.transact(work, (cause) => this.error("transaction", cause));
  }

  /** The error of a connector for what the database threw; `what` says what was done. */
  error(what: string, cause: unknown): ConnectorError {
    const found = this.#database.explain(cause);
    const hint = this.#catalog.hint(found);
    const reason = hint === undefined ? found.reason : `${found.reason}; ${hint}`;
    const { permanent, code } = found;
    const options = { cause, permanent, ...(code && { code }) };
    return new ConnectorError(this.#connector, `${what}: ${reason}`, options);
  }

  #writeTable(request: WriteRequest<DatabaseDestination>, session?: Session): unknown {
    const { operation = "INSERT", target, payload, options: { key }, resultUsed = true } = request;
    if (target === undefined) throw this.#refusal(`${operation} needs a target, which is a table`);
    if (!isObject(payload)) {
      throw this.#refusal(`${operation} needs an object as payload, not ${kindName(payload)}`);
    }
    const columns = Object.keys(payload);
    const wanted = { operation, table: target, key, columns, returning: resultUsed };
    const run = (plan: Plan): unknown => {
      for (const name of plan.key) {
        // It would find no row, and an UPSERT would insert another one each time.
        if (payload[name] == null) {
          throw this.#refusal(`${operation} needs a value for its key ${quoted(name)}, not null`);
        }
      }
      const values = plan.names.map((name) => this.#bind(payload[name], column, name));
      return this.#run(new Write(plan, values, this, operation, target), session);
    };
    const plan = this.#try(operation, () => this.#plans.table(wanted));
    if (!(plan instanceof Promise)) return run(plan);
    return plan.then(run, (cause) => {
      throw this.error(operation, cause);
    });
  }

  #runQuery(
    { options, payload, scope }: WriteRequest<DatabaseDestination>,
    text: string,
    session?: Session,
  ): unknown {
    const plan = this.#try("query", () => this.#plans.query(options, text));
    const { params = {} } = options;
    const fields = isObject(payload) ? payload : {};
    const values = plan.names.map((name) => {
      if (Object.hasOwn(params, name)) {
        const value = this.#try(`params.${name}`, () => params[name].evaluate(scope));
        return this.#bind(value, parameter, name);
      }
      if (Object.hasOwn(fields, name)) return this.#bind(fields[name], parameter, name);
      const hint = didYouMean(name, Object.keys(fields)) ?? "add it to params";
      throw this.#refusal(`the query's ":${name}" is in neither payload nor params; ${hint}`);
    });
    if (!plan.reads || session !== undefined) {
      return this.#run(new Write(plan, values, this, "query"), session);
    }
    const result = this.#try("query", () => this.#database.query(plan.statement, values));
    return "then" in result ? this.#readLater(plan, result) : plan.shape(result);
  }

  #run(write: Write, session: Session | undefined): unknown {
    if (session === undefined) return this.#database.transaction(write);
    try {
      const result = session.run(write.statement, write.values);
      if (!isPromiseLike(result)) return write.result([result]);
      return result.then((result) => write.result([result]), (cause) => {
        throw write.error(cause);
      });
    } catch (cause) {
      throw write.error(cause);
    }
  }

  #readLater({ shape }: Plan, reading: Cancellable<Result>): Cancellable {
    const ended = reading.then(shape, (cause) => {
      throw this.error("query", cause);
    });
    return Object.assign(Promise.resolve(ended), {
      cancel: () => reading.cancel(),
      doing: () => reading.doing?.(),
    });
  }

  #bind(value: unknown, describe: (name: string) => string, name: string): unknown {
    try {
      return this.#database.dialect.bind(value);
    } catch (cause) {
      throw this.error(describe(name), cause);
    }
  }

  #try<T>(what: string, act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw this.error(what, cause);
    }
  }

  #refusal(message: string): ConnectorError {
    return new ConnectorError(this.#connector, message, { permanent: true });
  }
}

/** One statement as a transaction. */
class Write implements Transaction<unknown>, Step {
  readonly statement: Statement;
  readonly values: readonly unknown[];
  readonly steps: readonly Step[] = [this];
  readonly #plan: Plan;
  readonly #requests: Requests;
  readonly #operation: string;
  readonly #table: string | undefined;

  /** Without a table it is a query. */
  constructor(
    plan: Plan,
    values: readonly unknown[],
    requests: Requests,
    operation: string,
    table?: string,
  ) {
    this.statement = plan.statement;
    this.values = values;
    this.#plan = plan;
    this.#requests = requests;
    this.#operation = operation;
    this.#table = table;
  }

  result([result]: readonly Result[]): unknown {
    return this.#plan.shape(result);
  }

  error(cause: unknown): ConnectorError {
    const table = this.#table === undefined ? "" : ` ${quoted(this.#table)}`;
    return this.#requests.error(`${this.#operation}${table}`, cause);
  }
}

function column(name: string): string {
  return `column ${quoted(name)}`;
}

function parameter(name: string): string {
  return `parameter ":${name}"`;
}
