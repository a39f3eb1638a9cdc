/** The paths of the WebSockets and streams of one application. */
import { ConfigError } from "../base/errors.ts";
import { problemWithoutPlace } from "../base/problem.ts";
import type { HttpService } from "../contract/connector.ts";

/** Two connectors may share a path on separate ports, but not in one application. */
export function refuseSharedPaths(services: ReadonlyMap<string, HttpService>): void {
  const owners = new Map<string, string>();
  const used = [...services].flatMap(([name, { socket, stream }]) =>
    [socket, stream].flatMap((endpoint) => endpoint === undefined ? [] : [[name, endpoint.path]])
  );
  for (const [name, path] of used) {
    const other = owners.get(path);
    owners.set(path, name);
    if (other === undefined) continue;
    const message = `connectors "${other}" and "${name}" have the same path ${path}`;
    const hint = "an embedded runtime has one address: give one of them another path";
    throw new ConfigError([problemWithoutPlace({ code: "duplicate-address", message, hint })]);
  }
}
