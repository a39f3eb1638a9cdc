/** The program of the executable that `deno task binary` makes: the `weir` command. */
import process from "node:process";
import { main } from "../src/commands/mod.ts";
import { bunHost } from "../src/server/bun.ts";
import { WORKER_ARGUMENT } from "../src/server/host.ts";

// The executable is its own program: it has no file of a worker.
await main({ host: { ...bunHost, workerCommand: [process.execPath, WORKER_ARGUMENT] } });
