/**
 * Who may use a listener: tokens, the origins of pages, names of users and rooms, and rates. The
 * connectors that clients reach share it.
 *
 * May import base/, contract/, expression/ and transport/.
 */
export { authField, type AuthOptions } from "./auth/fields.ts";
export { originList } from "./origins.ts";
export { rateLimitField } from "./rate-limit.ts";
