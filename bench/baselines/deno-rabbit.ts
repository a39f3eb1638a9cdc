/** Baseline: the same as on Node, `rabbitmq-client`, `node:http` and `ws`, on Deno. */
import "./node-rabbit.ts";
