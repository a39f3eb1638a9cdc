/** The platform that imports the plugins. */
import process from "node:process";

/** Its name. */
export type Platform = "bun" | "deno" | "node";

/** The one that runs now. Deno has the version of Node, too. */
export const platform: Platform = "deno" in process.versions
  ? "deno"
  : "bun" in process.versions
  ? "bun"
  : "node";
