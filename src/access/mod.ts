/**
 * Who may use a listener: tokens, the origins of pages, names of users and rooms, rates, and the
 * proxies in front of it. The connectors that clients reach share it.
 *
 * May import base/, contract/, expression/ and transport/.
 */
export { authField, requestAuthField } from "./auth/fields.ts";
export { type AllowedOrigins, originList, withOrigins } from "./origins.ts";
export { trustProxyField } from "./proxies.ts";
export { rateLimitField } from "./rate-limit.ts";
