/** Prints a token as the program would make it that signs people in: `token.ts USER [ROLE]`. */
import { SignJWT } from "jose";
import process from "node:process";

const [user, role = "customer"] = process.argv.slice(2);
const secret = process.env.JWT_SECRET;
if (user === undefined || secret === undefined) {
  console.error("JWT_SECRET=… token.ts USER [ROLE]");
  process.exit(2);
}
const token = await new SignJWT({ role })
  .setProtectedHeader({ alg: "HS256" })
  .setSubject(user)
  .setIssuer("https://login.example.com")
  .setAudience("shop")
  .setExpirationTime("15m")
  .sign(new TextEncoder().encode(secret));
console.log(token);
