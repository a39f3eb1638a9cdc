/** What clients hear is the same in one process and in three instances over Redis. */
import { differentialTest, featuresTest } from "./differential-support.ts";

await differentialTest("redis", 0);
await featuresTest("redis");
