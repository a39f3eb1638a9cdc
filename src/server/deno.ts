/** What Deno serves with: `node:http` and `ws`, which are faster there than its own server. */
import { withDescriptorLimit } from "./descriptor-limit.ts";
import { hostOptions } from "./files.ts";
import type { Host } from "./host.ts";
import { listenNode } from "./node.ts";

/** The host of Deno. */
export const denoHost: Host = { options: hostOptions, listen: withDescriptorLimit(listenNode) };
