/**
 * Tests of configurations and of connectors: runs the `test` blocks of a configuration, each in a
 * runtime of its own, without sockets and with a clock that the test moves; holds a connector or a
 * backplane to the rules of its contract.
 *
 * May import base/, cluster/, contract/, flow/, hcl/, model/, runtime/, server/ and transport/.
 *
 * @example The tests of a configuration as tests of the runner
 * ```ts
 * import { readConfigFiles, testConfig } from "@weir/runtime/testing";
 *
 * // `test` of "node:test" instead of Deno.test works on all runtimes.
 * await testConfig((name, run) => [name, run], await readConfigFiles("examples/chat"));
 * ```
 *
 * @module
 */
export { type ConnectorTest, connectorTests, testConnector } from "./suite/suite.ts";
export { ConnectorRuleError } from "./suite/failure.ts";
export type {
  ConnectorTestOptions,
  DestinationOptions,
  OutageOptions,
  RegisterTest,
  SourceOptions,
  TestContext,
} from "./suite/options.ts";
export {
  BackplaneRuleError,
  type BackplaneTest,
  backplaneTests,
  testBackplane,
} from "./suite/backplane/suite.ts";
export type { BackplaneTestOptions } from "./suite/backplane/options.ts";
export {
  ConfigTestError,
  type ConfigTestOptions,
  type ConfigTestResults,
  runConfigTests,
  testConfig,
} from "./config.ts";
export type { CoverageResult, Missing, Share } from "./coverage.ts";
export type { Difference } from "./match.ts";
export type { Player } from "./players.ts";
export type { Played } from "../contract/connector.ts";
export type { Received, TestFailure, TestResult } from "./report.ts";
export { ConfigPathError, readConfigFiles } from "../server/files.ts";
