/** What clients hear is the same in one process and in three instances over NATS. */
import { differentialTest, featuresTest } from "./differential-support.ts";

await differentialTest("nats", 1);
await featuresTest("nats");
