/** What clients hear is the same in one process and in three instances over RabbitMQ. */
import { differentialTest, featuresTest } from "./differential-support.ts";

await differentialTest("rabbitmq", 2);
await featuresTest("rabbitmq");
