/** What a `websocket` connector and its destinations can be told. */
import { expression } from "../../contract/expression-fields.ts";
import {
  attribute,
  block,
  type Fields,
  path,
  required,
  type Values,
} from "../../contract/fields.ts";
import { duration, flag, integer, size, text } from "../../contract/value-schema.ts";
import { rateLimitField } from "./limits.ts";
import { slowClientField } from "./slow-client/fields.ts";
import { authField } from "./auth/fields.ts";
import { originList } from "./origins.ts";
import { roomsField } from "./rooms/fields.ts";

/** The attributes of the connector. */
export const fields = {
  port: attribute(integer({ max: 65535 }), {
    about: "The port to listen on; 0 takes a free one. Connectors on one host and port share it.",
    required: true,
  }),
  host: attribute(text(), { about: "The address to bind.", default: "0.0.0.0" }),
  path: attribute(text(), { about: "The endpoint's path.", default: "/ws" }),
  ping_interval: attribute(duration(), {
    about: "From one ping frame to the next, on every connection.",
    default: "30s",
  }),
  pong_timeout: attribute(duration(), {
    about: "A connection whose pong takes longer is destroyed.",
    default: "10s",
  }),
  max_message_size: attribute(size(), {
    about: "A longer message closes its connection with 1009.",
    default: "512KB",
  }),
  max_connections: attribute(integer({ min: 1 }), {
    about: "One more client gets 503. No limit by default.",
  }),
  max_rooms: attribute(integer({ min: 1 }), {
    about: "The rooms that one connection may be in.",
    default: 128,
  }),
  concurrency: attribute(integer({ min: 1, max: 1024 }), {
    about: "The frames of one connection that are at work at once; 1 keeps their order.",
    default: 1,
  }),
  origins: attribute(originList(), {
    about: "The origins whose pages may connect, such as `https://example.com` or " +
      "`*.example.com` (https and its default port). Any by default; needed where `auth` reads a " +
      "cookie. A request without Origin is no browser's and passes.",
  }),
  auth: authField,
  room: roomsField,
  rate_limit: rateLimitField,
  slow_client: slowClientField,
  compression: attribute(flag(), {
    about: "Compresses messages of 1 KB and more (permessage-deflate) for clients that offer it. " +
      "Embedded in `Deno.serve` it does nothing.",
    default: false,
  }),
  tls: block({
    cert: required(
      path({ about: "A PEM file: the certificate, and those that lead to its root." }),
    ),
    key: required(path({ about: "A PEM file: the certificate's private key." })),
  }, {
    about: "Makes the port speak TLS (`wss://`, `https://`), for every connector on it. Embedded " +
      "servers ignore it.",
  }),
  static: path({
    about: "A folder of files to serve on the same port. Embedded servers ignore it.",
  }),
} satisfies Fields;

/** The attributes that it adds to a `to` block. */
export const destinationFields = {
  filter: expression({
    about: "Evaluated for each recipient, who is `client`; false leaves that one out.",
    variables: ["client"],
  }),
  user: expression({
    about:
      "For `join_room`, `leave_room` and `disconnect`: all connections of this user; the one " +
      "that the event came from where it is left out.",
  }),
  exclude_sender: attribute(flag(), {
    about: "Leaves out the connection that the event came from.",
    default: false,
  }),
} satisfies Fields;

/** What the connector's block says. */
export type WebSocketOptions = Values<typeof fields>;

/** What a `to` block says. */
export type WebSocketDestinationOptions = Values<typeof destinationFields>;
