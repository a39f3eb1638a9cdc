/** The type of Hono applications, where the public API has one. */

/**
 * An application of the `hono` package. Written this way, since the documentation's lint wants every
 * type that it can follow to be exported from here.
 */
export type HonoApp = InstanceType<(typeof import("hono"))["Hono"]>;
