/** A service that keeps notes in an SQLite file, for the entries of "Downstream" about such files. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Stage, Weir } from "../support/process.ts";
import { WebClient } from "../support/web-client.ts";
import { codeOf } from "./downstream.ts";

/** What a test changes of the service. */
export interface NotesOptions {
  /** More blocks. */
  readonly blocks: string;
  /** More attributes of the connector "ws". */
  readonly ws?: string;
  /** The type of the column with the text. */
  readonly text?: string;
}

/** Writes the configuration and its migration. */
export async function writeNotes(
  { folder }: Stage,
  { blocks, ws = "", text = "TEXT" }: NotesOptions,
): Promise<void> {
  await mkdir(join(folder, "migrations"), { recursive: true });
  const schema = `CREATE TABLE notes (id INTEGER PRIMARY KEY, text ${text});`;
  await writeFile(join(folder, "migrations/001.sql"), schema);
  await writeFile(join(folder, "weir.hcl"), configOf(ws, blocks));
}

/** Starts the service, with more arguments of the command `run`. */
export async function startNotes(
  stage: Stage,
  options: NotesOptions,
  args: readonly string[] = [],
): Promise<Weir> {
  await writeNotes(stage, options);
  return await stage.run(["weir.hcl", ...args]);
}

/** Connects a client. */
export function open({ port }: Weir): Promise<WebClient> {
  return WebClient.open(`ws://127.0.0.1:${port}/ws`);
}

/** Writes a note. Returns the code of the error, undefined where the note was acked. */
export async function store(client: WebClient, text: unknown): Promise<unknown> {
  return codeOf(await client.request({ type: "store", data: { text } }));
}

function configOf(ws: string, blocks: string): string {
  return `
  connector "ws" {
    type = "websocket"
    port = 0
    ${ws}
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = "./notes.db"
    migrations = "./migrations"
  }
  flow "echo" {
    from {
      connector = "ws"
      operation = "echo"
    }
    response {
      text = "input.text"
    }
  }
  flow "store" {
    from {
      connector = "ws"
      operation = "store"
    }
    to {
      connector = "db"
      target    = "notes"
    }
  }
  ${blocks}
`;
}
