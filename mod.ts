/**
 * Weir, a declarative real-time server as a library. This module is the core, on web standards
 * alone; `@weir/runtime/deno`, `/bun` and `/node` add what a server of each runtime needs.
 *
 * @example Check a configuration, run it, and send to its clients
 * ```ts
 * import { createRuntime, loadConfig } from "@weir/runtime";
 *
 * const model = await loadConfig(`
 *   connector "ws" {
 *     type = "websocket"
 *     port = 3001
 *   }
 * `);
 * const runtime = await createRuntime(model);
 * await runtime.sendToRoom("orders", { id: 7 });
 * await runtime.close();
 * ```
 *
 * @module
 */
export { type Configuration, loadConfig, type LoadOptions, type TextCache } from "./src/load.ts";
export {
  type ConnectorChoice,
  type Counts,
  createRuntime,
  type PublishOptions,
  type Runtime,
  type RuntimeOptions,
} from "./src/runtime.ts";
export {
  ConfigError,
  ConnectorError,
  type ErrorAnswer,
  type ErrorCode,
  ExpressionError,
  FlowError,
  type FlowErrorOptions,
  formatProblem,
  type Problem,
  WorkerError,
} from "./src/errors.ts";
export type {
  AcceptModel,
  ConnectorModel,
  DedupeModel,
  DestinationModel,
  ErrorHandlingModel,
  ErrorResponseModel,
  FallbackModel,
  FlowModel,
  LookupModel,
  Model,
  NamedExpression,
  RequestModel,
  RetryModel,
  ScheduleModel,
  ServiceModel,
  SourceModel,
  StepModel,
} from "./src/model.ts";
export type {
  AdvanceStep,
  ConnectionStep,
  EventStep,
  ExpectStep,
  FrameStep,
  GivenStep,
  MockStep,
  RequestStep,
  TestClient,
  TestModel,
  TestPlace,
  TestStep,
} from "./src/test-model.ts";
export type { Checked, DataType, Violation } from "./src/type.ts";
export type { Clock } from "./src/clock.ts";
export {
  type Client,
  type Connector,
  type ConnectorContext,
  type FlowEvent,
  type FlowHandler,
  type HttpService,
  type KeyStore,
  type Outcome,
  type Settlement,
  type StepResults,
  type Unwanted,
  type WriteRequest,
} from "./src/connector.ts";
export {
  type Complaint,
  type ConnectorDefinition,
  type ConnectorType,
  defineConnector,
  type Destination,
  type DestinationType,
  type SourceType,
  type Usage,
} from "./src/connector-type.ts";
export type { Expression, Scope } from "./src/expression.ts";
export { expression, expressionMap, expressions, target } from "./src/expression-fields.ts";
export {
  type About,
  attribute,
  block,
  blocks,
  type Field,
  type Fields,
  path,
  type ReadContext,
  required,
  type Values,
} from "./src/schema.ts";
export { lookups } from "./src/step-fields.ts";
export {
  duration,
  flag,
  integer,
  oneOf,
  size,
  text,
  type ValueResult,
  type ValueSchema,
} from "./src/values.ts";
export type {
  Batch,
  Handshake,
  HandshakeAcceptance,
  HandshakeRefusal,
  HandshakeRequest,
  Peer,
  SocketEndpoint,
  SocketFeatures,
  SocketSession,
  VouchedClient,
} from "./src/socket.ts";
export type { Channel, ConnectorCluster } from "./src/connector-cluster.ts";
export { accept, admit, dispatch, type Dispatched, type Ending } from "./src/dispatch.ts";
export { Frame } from "./src/frame.ts";
export type { HonoApp } from "./src/hono.ts";
export type { Logger } from "./src/connector.ts";
export type { AddressSource, ReceivedHandshake } from "./src/handshake.ts";
export { type Upgrader } from "./src/site.ts";
export { connectStandardSocket, STANDARD_FEATURES } from "./src/adapters/standard.ts";
export type { Attribute, Block, Body, Label, SourceFile, Span } from "./src/config/tree.ts";
export type { Schedule } from "./src/schedule.ts";
