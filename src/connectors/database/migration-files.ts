/** Reads migrations: the SQL files of a folder, in the order of their names. */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readTextFile } from "../../base/text-file.ts";
import { type Migration, MigrationError } from "./driver.ts";

/**
 * Reads the `*.sql` files of a folder, by name.
 *
 * @throws {Error} The folder cannot be read.
 * @throws {MigrationError} A file is not a regular one, has more than 16 MB, or is not text.
 */
export async function readMigrations(folder: string): Promise<readonly Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(".sql"));
  return Promise.all(
    files.map(({ name }) => name).sort().map(async (name) => {
      const sql = (await readText(folder, name)).replaceAll("\r\n", "\n");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    }),
  );
}

async function readText(folder: string, name: string): Promise<string> {
  const text = await readTextFile(join(folder, name)).catch((cause) => {
    throw new MigrationError(name, `cannot be read: ${cause.message}`, { cause });
  });
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
