/** The projects of `weir init` with the executable alone. */
import { projectTest } from "../support/project-readme.ts";

projectTest({
  tool: "weir",
  init: "weir init",
  runtime: "weir",
  writes: [],
  unused: ["bunfig.toml", "deno.json", "package.json"],
  template: "iot",
});
