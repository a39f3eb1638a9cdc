/** Baseline: the same program as on Node, on Deno. */
import "./node-broker.ts";
