/** Accounts of NATS as operators make them: signed claims, and the credentials of a user. */
import { Buffer } from "node:buffer";
import { createAccount, createOperator, createUser, type KeyPair } from "@nats-io/nkeys";

/** What a server needs that trusts an operator, and what a client shows. */
export interface Accounts {
  /** Lines of the server's configuration. */
  readonly settings: readonly string[];
  /** The content of a `.creds` file: claims and a seed. */
  readonly creds: string;
  /** One of a user whom no account of this operator knows. */
  readonly strangerCreds: string;
}

/** Makes an operator with an account that may use JetStream, and a user of it. */
export function makeAccounts(): Accounts {
  const [operator, system, account, stranger] = [
    createOperator(),
    createAccount(),
    createAccount(),
    createAccount(),
  ];
  const operatorClaims = sign(operator, operator, "operator", {
    system_account: system.getPublicKey(),
  });
  const systemClaims = sign(operator, system, "account", { limits: LIMITS });
  const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
  const claims = sign(operator, account, "account", { limits: { ...LIMITS, ...storage } });
  return {
    settings: [
      `operator: ${operatorClaims}`,
      `system_account: ${system.getPublicKey()}`,
      "resolver: MEMORY",
      "resolver_preload {",
      `  ${system.getPublicKey()}: ${systemClaims}`,
      `  ${account.getPublicKey()}: ${claims}`,
      "}",
    ],
    creds: credentials(account),
    strangerCreds: credentials(stranger),
  };
}

const LIMITS = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1 };

/** Claims about `subject`, signed by `issuer`, in the form of a JSON Web Token. */
function sign(issuer: KeyPair, subject: KeyPair, type: string, nats: object): string {
  const now = Math.floor(Date.now() / 1000);
  const [iss, sub] = [issuer.getPublicKey(), subject.getPublicKey()];
  const claims = { jti: crypto.randomUUID(), iat: now, iss, sub, name: type };
  const head = encode({ typ: "JWT", alg: "ed25519-nkey" });
  const body = encode({ ...claims, nats: { ...nats, type, version: 2 } });
  const text = `${head}.${body}`;
  const signature = issuer.sign(new TextEncoder().encode(text));
  return `${text}.${Buffer.from(signature).toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function credentials(account: KeyPair): string {
  const user = createUser();
  const limits = { subs: -1, data: -1, payload: -1, pub: {}, sub: {} };
  const part = (name: string, text: string) =>
    `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n`;
  return part("NATS USER JWT", sign(account, user, "user", limits)) +
    part("USER NKEY SEED", new TextDecoder().decode(user.getSeed()));
}
