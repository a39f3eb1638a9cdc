/** The `tls` block of the `http` connector, shown with an API that asks for a certificate. */
import { callOnce } from "../../support/http-api.ts";
import { identity, withTlsApi } from "../../support/http-tls.ts";
import type { Row } from "../row.ts";

/** What the API says of a request with these lines in `tls`. */
function seen(lines: string): Promise<unknown> {
  return withTlsApi(identity, async ({ url }, folder) => {
    const connector = `tls {\n${lines}\n}`;
    const { result, error } = await callOnce(url, {
      connector,
      to: 'operation = "GET /x"',
      folder,
    });
    return error === undefined ? result : error.message;
  });
}

const CA = 'ca = "ca.pem"';

/** Each of them, with a scenario that it changes. */
export const httpTlsRows: readonly Row[] = [
  {
    attribute: "connector http/tls/ca",
    text: CA,
    observe: seen,
    without: 'connector "api": GET /x failed: the certificate of the server is not trusted',
    with: { name: null, authorized: false },
  },
  ...[["cert", 'cert = "client.pem"', "key"], ["key", 'key = "client.key"', "cert"]].map(
    ([name, text, other]): Row => ({
      attribute: `connector http/tls/${name}`,
      text,
      observe: (text) =>
        seen(`${CA}\n${other === "key" ? 'key = "client.key"' : 'cert = "client.pem"'}\n${text}`),
      without: ["missing-attribute"],
      with: { name: null, authorized: true },
    }),
  ),
  {
    attribute: "connector http/tls/server_name",
    text: 'server_name = "localhost"',
    observe: (text) => seen(`${CA}\n${text}`),
    without: { name: null, authorized: false },
    with: { name: "localhost", authorized: false },
  },
];
