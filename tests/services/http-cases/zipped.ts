/** Compressed responses. */
import { Buffer } from "node:buffer";
import { head } from "../../support/http-api.ts";

/** A response with these bytes, which says that they are in this encoding. */
export function zipped(bytes: Buffer, encoding: string, type = "text/plain"): Buffer {
  const fields = [
    `content-encoding: ${encoding}`,
    `content-length: ${bytes.length}`,
    `content-type: ${type}`,
  ];
  return Buffer.concat([Buffer.from(head(200, fields)), bytes]);
}
