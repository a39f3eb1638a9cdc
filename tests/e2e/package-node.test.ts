/** The npm package in an empty folder, on Node. */
import { needNode, noOtherNodes } from "../support/extras.ts";
import { NPM, testPackage } from "../support/package-user.ts";
import { needTool } from "../support/toolchain.ts";

testPackage({
  name: "Node",
  program: () => needTool("node"),
  install: "npm install @weir/runtime",
  ...NPM,
});
testPackage({
  name: "the oldest Node",
  program: () => needNode("node22"),
  ...NPM,
  skip: noOtherNodes,
});
