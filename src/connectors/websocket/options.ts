/** The attributes of a `websocket` connector and of its destinations. */
import { authField, originList, trustProxyField } from "../../access/mod.ts";
import { expression } from "../../contract/expression-fields.ts";
import {
  attribute,
  block,
  type Fields,
  path,
  required,
  type Values,
} from "../../contract/fields.ts";
import { duration, flag, integer, listenHost, size, text } from "../../contract/value-schema.ts";
import { frameType } from "./frame-type.ts";
import { rateLimitField } from "./limits.ts";
import { slowClientField } from "./slow-client/fields.ts";
import { roomsField } from "./rooms/fields.ts";

/** The attributes of the connector. */
export const fields = {
  port: attribute(integer({ max: 65535 }), {
    about:
      "The port to listen on; 0 uses a free one. Connectors with the same host and port share it.",
    required: true,
  }),
  host: attribute(listenHost(), { about: "The address to listen on.", default: "0.0.0.0" }),
  path: attribute(text(), { about: "The path of the endpoint.", default: "/ws" }),
  sse: attribute(text(), {
    about:
      "The path of streams of server-sent events, such as `/events`: their clients listen to the " +
      "rooms that the query names. None by default.",
  }),
  client: attribute(text(), {
    about: "The path at which pages get the client library as one module, such as `/weir.js`. " +
      "None by default.",
  }),
  ping_interval: attribute(duration(), {
    about: "The time between two ping frames on a connection, or two comments on a stream.",
    default: "30s",
  }),
  pong_timeout: attribute(duration(), {
    about: "A connection whose pong takes longer is dropped.",
    default: "10s",
  }),
  max_message_size: attribute(size(), {
    about: "A larger message closes the connection with 1009.",
    default: "512KB",
  }),
  max_connections: attribute(integer({ min: 1 }), {
    about: "The maximum number of connections; further clients get 503. No limit by default.",
  }),
  max_rooms: attribute(integer({ min: 1 }), {
    about: "The maximum number of rooms of one connection.",
    default: 128,
  }),
  concurrency: attribute(integer({ min: 1, max: 1024 }), {
    about:
      "The maximum number of frames of one connection that are served at once; 1 keeps their order.",
    default: 1,
  }),
  origins: attribute(originList(), {
    about: "The origins whose pages may connect, such as `https://example.com` or " +
      "`*.example.com` (https and its default port). Any by default; required if `auth` reads a " +
      "cookie. A request without Origin is accepted: it does not come from a browser.",
  }),
  backplane: attribute(text(), {
    about:
      "The name of an `mq` connector (redis, nats, rabbitmq) that links the instances of the " +
      "service.",
  }),
  auth: authField,
  trust_proxy: trustProxyField,
  room: roomsField,
  rate_limit: rateLimitField,
  slow_client: slowClientField,
  compression: attribute(flag(), {
    about: "Compresses messages of 1 KB and more (permessage-deflate) for clients that offer it. " +
      "Has no effect embedded in `Deno.serve`.",
    default: false,
  }),
  tls: block({
    cert: required(
      path({ about: "A PEM file: the certificate and its chain." }),
    ),
    key: required(path({ about: "A PEM file: the private key of the certificate." })),
  }, {
    about: "Enables TLS (`wss://`, `https://`) on the port, for every connector on it. Embedded " +
      "servers ignore it.",
  }),
  static: path({
    about: "A folder of files to serve on the same port. Embedded servers ignore it.",
  }),
} satisfies Fields;

/** The attributes of a `to` block. */
export const destinationFields = {
  filter: expression({
    about: "Evaluated for each recipient as `client`; false leaves the recipient out.",
    variables: ["client"],
  }),
  user: expression({
    about:
      "For `join_room`, `leave_room` and `disconnect`: all connections of this user. By default " +
      "the connection that sent the event.",
  }),
  frame: attribute(frameType(), {
    about: "The type of the frame in place of `message`; none of the protocol's own types.",
  }),
  message_id: expression({
    about:
      "For `send_to_room`: the id of the message. One that is still in the room's history with " +
      "this id is not sent again.",
  }),
  history: attribute(flag(), {
    about: "For `join_room`: the connection gets the offsets of the room's messages, and after a " +
      "cut what it has missed.",
    default: false,
  }),
  exclude_sender: attribute(flag(), {
    about: "Leaves out the connection that sent the event.",
    default: false,
  }),
} satisfies Fields;

/** The options of a connector. */
export type WebSocketOptions = Values<typeof fields>;

/** The options of a `to` block. */
export type WebSocketDestinationOptions = Values<typeof destinationFields>;
