/** Where faults are tried: one host for each parser of frames that the runtime has. */
import { type Host, hosts } from "../support/socket-hosts.ts";

/** The runtime's own `serve` and, on Deno, its own upgrade in a server of somebody else. */
export const parsers: readonly Host[] = hosts.filter((host, i) =>
  hosts.findIndex(({ sockets }) => sockets === host.sockets) === i
);
