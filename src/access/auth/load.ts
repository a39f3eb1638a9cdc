/** Loads the token verifier, which only connectors with `auth` need. */
import type { ConnectorContext } from "../../contract/connector.ts";
import type { Authenticator } from "./authenticator.ts";
import type { AuthOptions } from "./fields.ts";

/** The authenticator of a connector; its code is imported with the first one. */
export async function loadAuthenticator(
  auth: AuthOptions,
  { name, clock, logger, constants }: ConnectorContext,
): Promise<Authenticator> {
  const { createAuthenticator } = await import("./authenticator.ts");
  return createAuthenticator(auth, { name, clock, logger, scope: { constants } });
}
