/** A message that becomes a row, and a question that a row answers, by the client library alone. */
import process from "node:process";

interface Frame {
  readonly type: string;
  readonly id: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The two things that the programs do with a database. */
interface Database {
  insert(author: unknown, text: unknown): Promise<unknown>;
  read(id: unknown): Promise<unknown>;
}

/** How many connections the pool has, as Weir's by default. */
const POOL = 10;

const url = process.env.BENCH_URL ?? "";
const database = url.startsWith("mysql:") ? await openMysql() : await openPostgres();

/** The ack of a frame. */
export async function answerTo(frame: string): Promise<string> {
  const { type, id, data } = JSON.parse(frame) as Frame;
  if (type === "read") {
    return JSON.stringify({ type: "ack", id, data: await database.read(data.id) });
  }
  await database.insert(data.author, data.text);
  return JSON.stringify({ type: "ack", id });
}

async function openPostgres(): Promise<Database> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: url, max: POOL });
  const insert = "INSERT INTO messages (author, text) VALUES ($1, $2)";
  const read = "SELECT name, price FROM items WHERE id = $1";
  return {
    insert: (author, text) => pool.query({ name: "insert", text: insert, values: [author, text] }),
    read: async (id) => (await pool.query({ name: "read", text: read, values: [id] })).rows[0],
  };
}

async function openMysql(): Promise<Database> {
  const { createPool } = await import("mysql2/promise");
  const pool = createPool({ uri: url, connectionLimit: POOL });
  const insert = "INSERT INTO messages (author, text) VALUES (?, ?)";
  const read = "SELECT name, price FROM items WHERE id = ?";
  return {
    insert: (author, text) => pool.execute(insert, [String(author), String(text)]),
    read: async (id) => (await pool.execute<never>(read, [Number(id)]))[0][0],
  };
}
