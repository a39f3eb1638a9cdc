#!/usr/bin/env node
// The command of the npm package. This file has no syntax that Node 4 lacks, so that an old Node can
// say which versions work.
"use strict";

/** Says which versions of Node work; undefined if this one does. */
function nodeProblem(found) {
  const ranges = require("../package.json").engines.node.split(" || "); // `^22.21.0 || >=24.9.0`
  const lts = numbers(ranges[0]);
  const newest = numbers(ranges[1]);
  const own = numbers(found);
  const works = own[0] === lts[0]
    ? own[1] >= lts[1]
    : own[0] > newest[0] || (own[0] === newest[0] && own[1] >= newest[1]);
  if (works) return undefined;
  return "weir needs Node " + lts.join(".") + " or a later Node " + lts[0] + ", or Node " +
    newest.join(".") + " or later; this is Node " + found;
}

/** The major and the minor version. */
function numbers(version) {
  return version.match(/\d+/g).slice(0, 2).map(Number);
}

const versions = process.versions;
const problem = versions.bun || versions.deno ? undefined : nodeProblem(versions.node);
if (problem === undefined) {
  require("./start.cjs");
} else {
  console.error("error: " + problem);
  process.exitCode = 3;
}
