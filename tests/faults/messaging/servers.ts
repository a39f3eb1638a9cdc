/** The servers that the tests of faults of message brokers have. */
import { MosquittoServer } from "../../support/mosquitto.ts";
import { NatsServer } from "../../support/nats.ts";
import { PASSWORD } from "../../support/own-server.ts";
import { RedisServer } from "../../support/redis.ts";
import type { ServerKind } from "./kind.ts";

/** How many bytes a message of NATS, or a packet of MQTT, has at most. */
export const MOST = 8_192;

const quoted = JSON.stringify(PASSWORD);

/** Weir is the user `weir`, for names that begin with `weir`; the tests' own clients are `default`. */
export const redis: ServerKind = {
  title: "Redis",
  service: "redis-server",
  open: () =>
    RedisServer.open({
      durable: true,
      password: PASSWORD,
      users: { weir: `on >${PASSWORD} ~weir* &weir* +@all` },
    }),
};

/** Weir is `weir`; the tests' own clients are `peer` and, to look at the server, `admin`. */
export const nats: ServerKind = {
  title: "NATS",
  service: "nats-server",
  open: () =>
    NatsServer.open({
      settings: [
        "system_account: SYS",
        `max_payload: ${MOST}`,
        "accounts {",
        `  SYS { users: [{ user: admin, password: ${quoted} }] }`,
        "  APP {",
        "    jetstream: enabled",
        "    users: [",
        `      { user: weir, password: ${quoted}, permissions: { publish: { deny: "forbidden.>" } } }`,
        `      { user: peer, password: ${quoted} }`,
        "    ]",
        "  }",
        "}",
      ],
    }),
};

/** Weir is `weir`; the tests' own clients are `peer`. */
export const mosquitto: ServerKind = {
  title: "MQTT",
  service: "mosquitto-server",
  open: () =>
    MosquittoServer.open({
      persistent: true,
      users: { weir: PASSWORD, peer: PASSWORD },
      acl: [
        "user weir",
        "topic deny forbidden/#",
        "topic readwrite #",
        "user peer",
        "topic readwrite #",
        "topic read $SYS/#",
      ],
      // With 0 it ends the connection of a client whose publish it has refused.
      settings: [`max_packet_size ${MOST}`, "max_queued_messages 100000"],
    }),
};
