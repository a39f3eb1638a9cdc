/**
 * Tests of configurations and of connectors: runs the `test` blocks of a configuration, each in a
 * runtime of its own, without sockets and with a clock that the test moves; holds a connector to the
 * rules of the contract.
 *
 * May import base/, contract/, flow/, model/, runtime/ and transport/.
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
