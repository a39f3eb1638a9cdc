/** A program that contains Weir in its bundle. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root, stageTest } from "../support/process.ts";
import { needTool } from "../support/toolchain.ts";

stageTest("a bundled program serves, is not the command, and starts no workers", async (stage) => {
  const program = `
    import { serve } from ${JSON.stringify(join(root, `src/${stage.runtime}.ts`))};

    const config = \`
      connector "ws" {
        type = "websocket"
        port = 0
      }
    \`;
    // A worker would run this program again.
    if (process.argv[2] === "--worker") process.exit(1);
    const service = await serve(config);
    console.log("addresses:", service.addresses.length);
    await service.close();
    await serve(config, { workers: 2 }).catch((error) => console.log(String(error)));
    process.exit(0);
  `;
  await writeFile(join(stage.folder, "program.ts"), program);
  // Bun's bundler is the one that is here; it leaves import.meta as it is for Node and Deno.
  const target = stage.runtime === "bun" ? "bun" : "node";
  const args = ["build", "program.ts", `--target=${target}`, "--external=performance"];
  const built = await stage.command(await needTool("bun"), [...args, "--outfile=bundle.mjs"])
    .ended();
  assert.equal(built.code, 0, built.stderr);
  const flags = stage.runtime === "deno" ? ["run", "-A"] : [];
  const command = [...flags, "bundle.mjs", "init", "never"];
  const ran = await stage.command(await needTool(stage.runtime), command).ended();
  assert.equal(ran.code, 0, ran.stderr);
  assert.equal(
    ran.stdout,
    "addresses: 1\n" +
      "TypeError: workers: a bundle has no program for them; leave @weir/runtime out of the bundle\n",
  );
});
