/** The projects of `weir init` with npm, which runs Weir on Node. */
import { projectTest } from "../support/project-readme.ts";

projectTest({
  tool: "npm",
  init: "npx @weir/runtime init",
  runtime: "node",
  writes: ["package-lock.json"],
  unused: ["bunfig.toml", "deno.json"],
  template: "dashboard",
});
