/** A service with files, a flow behind REST and one behind a WebSocket, and requests for it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ready, type Stage, type Weir } from "../support/process.ts";

const CONFIGURATION = `
  connector "ws" {
    type   = "websocket"
    port   = 0
    static = "./public"
  }
  connector "api" {
    type = "rest"
    port = 0
  }
  connector "db" {
    type       = "database"
    driver     = "sqlite"
    database   = ":memory:"
    migrations = "./migrations"
  }
  flow "echo" {
    from {
      connector = "api"
      operation = "POST /echo"
    }
    transform { body = "'something'" }
    to {
      connector = "db"
      target    = "runs"
    }
  }
  flow "runs" {
    from {
      connector = "api"
      operation = "GET /runs"
    }
    step "counted" {
      connector = "db"
      query     = "SELECT count(*) AS runs FROM runs"
    }
    response { runs = "step.counted.runs" }
  }
  flow "number" {
    from {
      connector = "api"
      operation = "GET /numbers/:n"
    }
    response { n = "input.n" }
  }
`;

/** Starts the service; its folder of files is `public` in the stage's folder. */
export async function serveFiles(stage: Stage): Promise<Weir> {
  return await stage.run([await writeService(stage)]);
}

/** The same, but what is written to its database never ends. */
export async function serveHanging(stage: Stage): Promise<Weir> {
  const folder = await writeService(stage);
  return await ready(await stage.script("tests/fixtures/scripts/hanging.ts", ["run", folder]));
}

async function writeService({ folder }: Stage): Promise<string> {
  await mkdir(join(folder, "public"));
  await mkdir(join(folder, "migrations"));
  await writeFile(join(folder, "public/hello.txt"), "hello");
  await writeFile(join(folder, "public/large.txt"), "0123456789abcdef".repeat(16 * 1024));
  await writeFile(join(folder, "migrations/001.sql"), "CREATE TABLE runs (body TEXT);");
  await writeFile(join(folder, "live.hcl"), CONFIGURATION);
  return folder;
}

/** A request for the flow `echo`, which runs once for each. */
export function post(headers: string, body: string): string {
  const head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  return `${head}${headers}\r\n${body}`;
}
