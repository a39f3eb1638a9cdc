/** The cases that all brokers share, with Redis and NATS, and with what plays them. */
import { natsKinds } from "./broker-cases/nats.ts";
import { redisKinds } from "./broker-cases/redis.ts";
import { suite } from "./broker-cases/suite.ts";

await suite({ ...redisKinds, ...natsKinds });
