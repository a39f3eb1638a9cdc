/** The projects of `weir init` with Bun. */
import { projectTest } from "../support/project-readme.ts";

projectTest({
  tool: "bun",
  init: "bunx @weir/runtime init",
  runtime: "bun",
  writes: ["bun.lock"],
  unused: ["deno.json"],
  template: "notifications",
});
