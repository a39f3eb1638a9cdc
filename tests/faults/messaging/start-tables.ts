/** What a start is refused for, with each kind of server. */
import { MosquittoServer } from "../../support/mosquitto.ts";
import { NatsServer } from "../../support/nats.ts";
import { PASSWORD } from "../../support/own-server.ts";
import { RedisServer } from "../../support/redis.ts";
import type { TlsFiles } from "../../support/broker-tls.ts";
import { mosquitto, nats, redis } from "./servers.ts";
import { SECRET, type Start, type Starts } from "./starts.ts";

/** A start with a server of a kind. */
function start<S extends MosquittoServer | NatsServer | RedisServer>(one: Start<S>): Start {
  return one as unknown as Start;
}

/** A `tls` block; without what is undefined. */
function tlsBlock(values: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} = ${JSON.stringify(value)}`]
  );
  return `tls {\n${lines.join("\n")}\n}`;
}

/** What may be wrong about TLS with a server that wants to see a certificate of its client. */
function tlsWrongs(
  tls: TlsFiles,
  url: string,
): Readonly<Record<string, readonly [string, RegExp]>> {
  const { authority: { ca }, client: { cert, key } } = tls;
  return {
    "an unknown authority": [`${url}\ntls = true`, /certificate/i],
    "another name": [
      `${url}\n${tlsBlock({ ca, cert, key, server_name: "db.example.com" })}`,
      /db\.example\.com/,
    ],
    "no certificate of the client": [`${url}\n${tlsBlock({ ca })}`, /certificate|handshake|alert/i],
  };
}

function goodTls({ authority: { ca }, client: { cert, key } }: TlsFiles, url: string): string {
  return `${url}\n${tlsBlock({ ca, cert, key })}`;
}

const quoted = JSON.stringify(PASSWORD);
const wrong = `password = "${SECRET}"`;

export const redisStarts: Starts = {
  server: redis,
  type: 'type = "mq"\ndriver = "redis"\nhost = "127.0.0.1"',
  credentials: [start({
    open: () => RedisServer.open({ password: PASSWORD }),
    good: ({ port }) => `port = ${port}\npassword = ${quoted}`,
    wrong: ({ port }) => ({
      "a wrong password": [`port = ${port}\n${wrong}`, /WRONGPASS/],
      "an unknown user": [`port = ${port}\nusername = "nobody"\n${wrong}`, /WRONGPASS/],
      "no password": [`port = ${port}`, /NOAUTH/],
    }),
  })],
  tls: [
    start({
      open: () => RedisServer.open({ tls: "clients" }),
      good: ({ port, tls }) => goodTls(tls as TlsFiles, `port = ${port}`),
      wrong: ({ port, tls }) => tlsWrongs(tls as TlsFiles, `port = ${port}`),
    }),
  ],
};

export const natsStarts: Starts = {
  server: nats,
  type: 'type = "mq"\ndriver = "nats"\nhost = "127.0.0.1"',
  credentials: [
    start({
      open: () => NatsServer.open({ login: "user" }),
      good: ({ port }) => `port = ${port}\nuser = "weir"\npassword = ${quoted}`,
      wrong: ({ port }) => ({
        "a wrong password": [`port = ${port}\nuser = "weir"\n${wrong}`, /uthoriz/],
        "no login": [`port = ${port}`, /uthoriz/],
      }),
    }),
    start({
      open: () => NatsServer.open({ login: "token" }),
      good: ({ port }) => `port = ${port}\ntoken = ${quoted}`,
      wrong: ({ port }) => ({
        "a wrong token": [`port = ${port}\ntoken = "${SECRET}"`, /uthoriz/],
      }),
    }),
    start({
      open: () => NatsServer.open({ login: "nkey" }),
      good: ({ port, seed }) => `port = ${port}\nnkey = "${seed}"`,
      wrong: ({ port, strangerSeed }) => ({
        "another key": [`port = ${port}\nnkey = "${strangerSeed}"`, /uthoriz/],
      }),
    }),
    start({
      open: () => NatsServer.open({ login: "creds" }),
      good: ({ port, creds }) => `port = ${port}\ncreds = "${creds}"`,
      wrong: ({ port, strangerCreds }) => ({
        "claims of an unknown account": [`port = ${port}\ncreds = "${strangerCreds}"`, /uthoriz/],
      }),
    }),
  ],
  tls: [
    start({
      open: () => NatsServer.open({ tls: "clients" }),
      good: ({ port, tls }) => goodTls(tls as TlsFiles, `port = ${port}`),
      wrong: ({ port, tls }) => tlsWrongs(tls as TlsFiles, `port = ${port}`),
    }),
    start({
      open: () => NatsServer.open(),
      good: ({ port }) => `port = ${port}`,
      wrong: ({ port }) => ({ "no TLS": [`port = ${port}\ntls = true`, /TLS/i] }),
    }),
  ],
};

export const mqttStarts: Starts = {
  server: mosquitto,
  type: 'type = "mqtt"',
  credentials: [start({
    open: () => MosquittoServer.open({ users: { weir: PASSWORD } }),
    good: ({ url }) => `url = "${url}"\nusername = "weir"\npassword = ${quoted}`,
    wrong: ({ url }) => ({
      "a wrong password": [`url = "${url}"\nusername = "weir"\n${wrong}`, /uthorized/],
      "an unknown user": [`url = "${url}"\nusername = "nobody"\n${wrong}`, /uthorized/],
      "no login": [`url = "${url}"`, /uthorized/],
    }),
  })],
  tls: [
    start({
      open: () => MosquittoServer.open({ tls: "clients" }),
      good: ({ url, tls }) => goodTls(tls as TlsFiles, `url = "${url}"`),
      wrong: ({ url, tls }) => tlsWrongs(tls as TlsFiles, `url = "${url}"`),
    }),
  ],
};
