/** Baseline: the same program as on Node, `node:http` and `ws`, on Deno. */
import "./node-requests.ts";
