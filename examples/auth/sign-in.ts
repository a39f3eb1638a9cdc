/**
 * The program that signs users in, as short as possible: `POST /tokens` with a name returns a token. A
 * real one asks for a password, and decides itself who belongs to the staff. This one believes every
 * name and every role, so it listens on this machine alone.
 *
 * It runs on Deno, Bun and Node, and has the secret in common with Weir: `JWT_SECRET`.
 */
import { SignJWT } from "jose";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { json } from "node:stream/consumers";

const secret = process.env.JWT_SECRET;
if (secret === undefined) {
  console.error("JWT_SECRET is not set: it must be the secret that Weir has");
  process.exit(2);
}
const key = new TextEncoder().encode(secret);

/** Who signs in, and for how long. Weir has checked it. */
interface SignIn {
  readonly name: string;
  readonly role: string;
  readonly seconds: number;
}

function issue({ name, role, seconds }: SignIn): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(name)
    .setIssuer("https://login.example.com")
    .setAudience("shop")
    .setIssuedAt()
    .setExpirationTime(`${seconds}s`)
    .sign(key);
}

const server = createServer(async (request, response) => {
  if (request.method !== "POST" || request.url !== "/tokens") {
    response.writeHead(404).end();
    return;
  }
  try {
    const token = await issue(await json(request) as SignIn);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ token }));
  } catch (error) {
    response.writeHead(400).end(`${error}\n`);
  }
});
server.listen(Number(process.env.SIGN_IN_PORT ?? 3001), "127.0.0.1", () => {
  console.log(`signs users in at http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
