/** Where the programs of the message brokers of this machine are. */
import { join } from "node:path";

/** The programs of RabbitMQ. Started without the wrapper that changes to another user. */
export const RABBITMQ_PROGRAMS = "/usr/lib/rabbitmq/bin";

/** The server of RabbitMQ. */
export const RABBITMQ_SERVER: string = join(RABBITMQ_PROGRAMS, "rabbitmq-server");

/** Evaluates Erlang in a node that runs. It is a part of Erlang's base, which RabbitMQ needs. */
export const ERL_CALL = "/usr/bin/erl_call";

/** The server of Redis, which is its Sentinel as well. */
export const REDIS_SERVER = "/usr/bin/redis-server";

/** The server of NATS. */
export const NATS_SERVER = "/usr/sbin/nats-server";

/** The broker of MQTT. */
export const MOSQUITTO = "/usr/sbin/mosquitto";
