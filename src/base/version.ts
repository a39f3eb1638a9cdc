/** The version of this package. A test compares it with `deno.json`, which the npm package lacks. */
export const VERSION = "0.1.0";
