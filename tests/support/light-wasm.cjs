// Loaded into every Node of a test run: see `compiledOnce` in tests/runner/suite.ts.
require("node:v8").setFlagsFromString("--wasm-tiering-budget=1000000000");
