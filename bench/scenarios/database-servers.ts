/** Databases of a scenario's own, on the servers of this machine. */
import { createConnection } from "mysql2/promise";
import pg from "pg";

/** A database that is dropped at the end. */
export interface TestDatabase extends AsyncDisposable {
  readonly url: string;
  /** Runs the statements of a file; its path is relative to the repository. */
  migrate(file: string): Promise<void>;
  /** How many rows a table has. */
  count(table: string): Promise<number>;
}

/** The servers, where no variable names another one. */
const URLS = {
  postgres: Deno.env.get("BENCH_POSTGRES") ?? "postgres://postgres@127.0.0.1:5432",
  mariadb: Deno.env.get("BENCH_MARIADB") ?? "mysql://root@127.0.0.1:3306",
};

/** Makes a database. */
export async function openServer(server: keyof typeof URLS): Promise<TestDatabase> {
  const name = `weir_bench_${crypto.randomUUID().replaceAll("-", "")}`;
  const run = server === "postgres" ? runPostgres : runMariadb;
  const base = URLS[server];
  const url = `${base}/${name}`;
  await run(`${base}/${server === "postgres" ? "postgres" : "mysql"}`, `CREATE DATABASE ${name}`);
  return {
    url,
    async migrate(file) {
      await run(url, await Deno.readTextFile(new URL(`../../${file}`, import.meta.url)));
    },
    async count(table) {
      return Number(await run(url, `SELECT count(*) AS rows_found FROM ${table}`));
    },
    async [Symbol.asyncDispose]() {
      const force = server === "postgres" ? " WITH (FORCE)" : "";
      await run(base, `DROP DATABASE ${name}${force}`);
    },
  };
}

/** Returns the first value of the result, if it has one. */
async function runPostgres(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: "array" });
    return rows?.[0]?.[0];
  } finally {
    await client.end();
  }
}

/** Returns the first value of the result, if it has one. */
async function runMariadb(url: string, sql: string): Promise<unknown> {
  const connection = await createConnection({ uri: url, multipleStatements: true });
  try {
    const [rows] = await connection.query<never>({ sql, rowsAsArray: true });
    return rows?.[0]?.[0];
  } finally {
    await connection.end();
  }
}
