/**
 * `deno task bench:scrape`: how long a scrape of the metrics keeps the event loop, with 10,000
 * connections and with none, on each runtime. The clients are in the process, so that no network
 * disturbs it. With the argument `--here` it measures on the runtime that runs it.
 */
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";
import { scrapeCost } from "../tests/support/scrape-cost.ts";
import { toolchain } from "../tests/support/toolchain.ts";

const file = decodeURIComponent(new URL(import.meta.url).pathname);
const HERE = "--here";

if (process.argv.includes(HERE)) {
  for (const connections of [0, 10_000]) {
    const { median, best, slow } = await scrapeCost(connections);
    const times = [median, best, slow].map((time) => time.toFixed(2));
    console.log(
      `${connections} connections: ${times[0]} ms (median), ${times[1]} ms (best), ` +
        `${times[2]} ms (best) while bytes wait for all`,
    );
  }
} else {
  for (const [name, path] of Object.entries(await toolchain())) {
    const args = [...name === "deno" ? ["run", "-A"] : [], file, HERE];
    const { stdout } = await promisify(execFile)(path, args);
    console.log(`${name}\n${stdout}`);
  }
}
