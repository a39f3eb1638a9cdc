/** The projects of `weir init` with Deno, which gets Weir from JSR. */
import { projectTest } from "../support/project-readme.ts";

projectTest({
  tool: "deno",
  init: "deno run -A jsr:@weir/runtime/cli init",
  runtime: "deno",
  writes: ["deno.lock"],
  unused: ["bunfig.toml", "package.json"],
  template: "chat",
});
