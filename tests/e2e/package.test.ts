/** The npm package in an empty folder, on Bun and on Deno. */
import { testPackage } from "../support/package-user.ts";
import { needTool } from "../support/toolchain.ts";

testPackage({
  name: "Bun",
  program: () => needTool("bun"),
  install: "bun add @weir/runtime",
  weir: "bunx --bun weir",
  script: "bun run --bun weir",
  run: "bun",
  entrypoint: "bun",
});
testPackage({
  name: "Deno",
  program: () => needTool("deno"),
  install: "deno add npm:@weir/runtime",
  weir: "deno run -A npm:@weir/runtime",
  script: "deno run -A @weir/runtime/cli",
  run: "deno run -A",
  entrypoint: "deno",
});
