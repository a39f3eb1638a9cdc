/** Whose certificate a server of NATS must show. */
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";

/** Returns what is wrong with a certificate that was shown when somebody asked for a name. */
type IdentityCheck = (asked: string, certificate: PeerCertificate) => Error | undefined;

/**
 * Checks names in certificates; without `serverName` those of the servers, each as `host:port`. The
 * library does not tell the address that it dials: Node and Deno then ask for "localhost", whoever
 * answers.
 */
export function identityCheck(
  serverName: string | undefined,
  servers: readonly string[],
): IdentityCheck {
  const hosts = servers.map((server) =>
    new URL(`nats://${server}`).hostname.replace(/^\[|\]$/g, "")
  );
  const addresses = hosts.filter((host) => isIP(host) !== 0);
  const namesFor = (asked: string): readonly string[] => {
    if (serverName !== undefined) return [serverName];
    return hosts.includes(asked) || addresses.length === 0 ? [asked] : addresses;
  };
  return (asked, certificate) => {
    const errors = namesFor(asked).map((name) => checkServerIdentity(name, certificate));
    return errors.includes(undefined) ? undefined : errors[0];
  };
}
