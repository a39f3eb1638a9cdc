/** Tokens: a user of the staff who sees customers connect and gets a message. */
import { SignJWT } from "jose";
import { connect } from "../../../src/client/mod.ts";
import type { Scene } from "./scene.ts";

const SECRET = "a secret of more than thirty-two bytes";

function tokenOf(name: string, role: string): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(name)
    .setIssuer("https://login.example.com")
    .setAudience("shop")
    .setIssuedAt()
    .setExpirationTime("15m")
    .sign(new TextEncoder().encode(SECRET));
}

/** The scene. */
export const auth: Scene = {
  name: "auth",
  example: "auth",
  connector: "ws",
  database: "AUTH_DB",
  env: (origin) => ({ JWT_SECRET: SECRET, ORIGIN: origin }),
  script: `sessionStorage.setItem("token", "${await tokenOf("sam", "staff")}");`,
  filled: "as sam",
  played: "kim: The parcel of ana is back",
  fill: () => Promise.resolve(() => {}),
  async play({ origin }) {
    const url = `${origin.replace("http", "ws")}/ws`;
    const ana = connect(url, { token: await tokenOf("ana", "customer") });
    const kim = connect(url, { token: await tokenOf("kim", "staff") });
    await kim.request("notify", { to: "sam", text: "The parcel of ana is back" });
    ana.close();
    kim.close();
  },
  async use(page) {
    await page.getByRole("button", { name: "None" }).click();
    await page.getByText("With no token").waitFor();
    await page.evaluate("scrollTo(0, 0)");
  },
};
