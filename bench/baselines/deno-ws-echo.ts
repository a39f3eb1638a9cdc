/** Baseline: the same echo as on Node, `node:http` and `ws`, on Deno. */
import "./node-echo.ts";
