/** The npm package on a Node that is too old. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { needNode, noOtherNodes } from "../support/extras.ts";
import { haveNpmPackage } from "../support/npm-project.ts";
import { nodeProblem } from "../../src/server/node-version.ts";
import { needTool } from "../support/toolchain.ts";
import { withMachine, withoutNpm } from "../support/package-user.ts";

const TOO_OLD = "needs Node 22.21 or a later Node 22, or Node 24.9 or later; this is Node 20.20.2";

test("package: on a Node that is too old, one sentence says which versions work", {
  skip: noOtherNodes,
}, async () => {
  await withMachine(() => needNode("node20"), async (machine, folder) => {
    await haveNpmPackage(machine, folder);
    for (const line of ["npx weir run", "node_modules/.bin/weir --version"]) {
      const { code, stdout, stderr } = await machine.start(line, folder).ended();
      assert.deepEqual([code, stdout, withoutNpm(stderr)], [3, "", `error: weir ${TOO_OLD}\n`]);
    }
    // The command itself draws the line where the library does.
    const node = await needTool("node");
    for (const version of ["22.20.0", "22.21.0", "23.11.1", "24.8.0", "24.9.0", "25.0.0"]) {
      const pretend = `
        const versions = { ...process.versions, node: "${version}" };
        Object.defineProperty(process, "versions", { value: versions });
        require("./node_modules/@weir/runtime/bin/weir.cjs");
      `;
      await writeFile(join(folder, "pretend.cjs"), pretend);
      const { code } = await machine.start(`${node} pretend.cjs --version`, folder).ended();
      assert.equal(code, nodeProblem(version) === undefined ? 0 : 3, version);
    }
    const program = `
      import("@weir/runtime/node").catch((error) => console.log(error.name, error.message));
    `;
    await writeFile(join(folder, "program.mjs"), program);
    const { stdout } = await machine.run("node program.mjs", folder);
    assert.equal(stdout, `Error @weir/runtime ${TOO_OLD}\n`);
  });
});
