/** The `public_key` attribute: a key in PEM, and the algorithms that it works with. */
import { toHex } from "../../base/text.ts";
import type { ValueResult, ValueSchema } from "../../contract/value-schema.ts";

/** A public key that has been read and not yet imported. */
export interface PublicKey {
  /** SubjectPublicKeyInfo in PEM. */
  readonly pem: string;
  /** The JWS algorithms that a key of this kind may verify. */
  readonly algorithms: readonly string[];
}

/** The shortest RSA key that RFC 7518 allows, in bits. */
export const MIN_RSA_BITS: number = 2048;

/** The algorithms of each kind of key, by its AlgorithmIdentifier in DER, in hexadecimal. */
const RSA = "06092a864886f70d0101010500";
const ALGORITHMS: Readonly<Record<string, readonly string[]>> = {
  [RSA]: ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  "06072a8648ce3d020106082a8648ce3d030107": ["ES256"],
  "06072a8648ce3d020106052b81040022": ["ES384"],
  "06072a8648ce3d020106052b81040023": ["ES512"],
  "06032b6570": ["EdDSA", "Ed25519"],
};

/** Every algorithm that works with a public key. */
export const ASYMMETRIC_ALGORITHMS: readonly string[] = Object.values(ALGORITHMS).flat();

const PROBLEM = "must be a public key in PEM";

/** Other contents of PEM, and how to convert them to a public key. */
const OTHERS: ReadonlyArray<readonly [label: RegExp, hint: string]> = [
  [/PRIVATE KEY/, "it is a private key: openssl pkey -in KEY -pubout writes its public half"],
  [/CERTIFICATE/, "it is a certificate: openssl x509 -in CERT -noout -pubkey writes its key"],
  [/RSA PUBLIC KEY/, "it is PKCS#1: openssl rsa -RSAPublicKey_in -in KEY -pubout converts it"],
];

/** A public key of RSA, of EC on a NIST curve, or Ed25519. */
export function publicKey(): ValueSchema<PublicKey> {
  return {
    description: "public key in PEM",
    parse(value): ValueResult<PublicKey> {
      if (typeof value !== "string") return { problem: "must be text in quotes" };
      // Variables of an environment often hold line breaks as two characters.
      const pem = value.replaceAll("\\n", "\n").trim();
      const label = /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1] ?? "";
      if (label !== "PUBLIC KEY") {
        const hint = OTHERS.find(([other]) => other.test(label))?.[1];
        return { problem: PROBLEM, hint: hint ?? 'it starts with "-----BEGIN PUBLIC KEY-----"' };
      }
      const key = readKey(pem);
      if (key === undefined) return { problem: PROBLEM, hint: "its content cannot be read" };
      const algorithms = Object.hasOwn(ALGORITHMS, key.kind) ? ALGORITHMS[key.kind] : undefined;
      if (algorithms === undefined) {
        const hint = "use RSA, EC on P-256, P-384 or P-521, or Ed25519";
        return { problem: "is a key of an unsupported kind", hint };
      }
      if (key.kind === RSA && key.bits < MIN_RSA_BITS) {
        return { problem: `must be an RSA key of at least ${MIN_RSA_BITS} bits` };
      }
      return { value: { pem, algorithms } };
    },
  };
}

/** Reads the kind of a key from DER and, for RSA, the length of its modulus. */
function readKey(pem: string): { readonly kind: string; readonly bits: number } | undefined {
  const body = /^-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----$/.exec(pem);
  if (body === null) return undefined;
  try {
    const der = Uint8Array.from(atob(body[1].replace(/\s/g, "")), (c) => c.charCodeAt(0));
    const whole = elementAt(der, 0);
    const algorithm = elementAt(der, whole.start);
    const key = elementAt(der, algorithm.end);
    if (whole.end !== der.length || key.end !== der.length) return undefined;
    const kind = toHex(der.subarray(algorithm.start, algorithm.end));
    if (kind !== RSA) return { kind, bits: 0 };
    // A bit string starts with the number of unused bits, a positive integer with a zero byte.
    const modulus = elementAt(der, elementAt(der, key.start + 1).start);
    return { kind, bits: (modulus.end - modulus.start - 1) * 8 };
  } catch {
    // Not base64, or cut off.
    return undefined;
  }
}

/** The position of the content of the DER element at `offset`. */
function elementAt(der: Uint8Array, offset: number): { readonly start: number; end: number } {
  const first = der[offset + 1];
  const size = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + size;
  const bytes = der.subarray(offset + 2, start);
  const length = size === 0 ? first : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!(start + length <= der.length)) throw new RangeError("the element is cut off");
  return { start, end: start + length };
}
