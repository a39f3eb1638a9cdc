/** Messages of NATS: what flows see of one, its headers, and its copy among the dead letters. */
import { headers as newHeaders, type Msg, type MsgHdrs } from "@nats-io/transport-node";
import {
  type Delivery,
  type GivenUp,
  type Publication,
  readBody,
} from "../../../../messaging/mod.ts";
import { deadLetterTexts, MESSAGE_ID, shownHeaders, type Texts, textsOf } from "./headers.ts";

const NO_HEADERS: Readonly<Record<string, unknown>> = Object.freeze({});

/** Reads a message; `key` is the operation of its event. */
export function readMessage(message: Msg, subject: string, key: string): Delivery["content"] {
  const body = readBody(message.data);
  if ("reason" in body) return body;
  // Read when a flow asks for them.
  const metadata = {
    subject,
    get headers() {
      return message.headers === undefined ? NO_HEADERS : shownHeaders(message.headers);
    },
  };
  return { key, ...body, metadata };
}

/**
 * The headers of a message; undefined without any.
 *
 * @throws {UnsendableError} The protocol cannot carry one.
 */
export function headersToSend(publication: Publication): MsgHdrs | undefined {
  const texts = textsOf(publication);
  return texts.length === 0 ? undefined : headersOf(texts);
}

function headersOf(texts: Texts): MsgHdrs {
  const made = newHeaders();
  for (const [name, values] of texts) {
    for (const value of values) made.append(name, value);
  }
  return made;
}

/** Where a message came from: what its dead letter is told apart by. */
export interface Origin {
  readonly subject: string;
  /** Unique to the message and the consumer that gave it up; undefined where it was in no stream. */
  readonly id: string | undefined;
}

/** The headers of a dead letter. */
export function deadLetterOf(
  { headers }: Pick<Msg, "headers">,
  { subject, id }: Origin,
  why: GivenUp,
): MsgHdrs {
  const copy = headersOf(deadLetterTexts(headers ?? [], subject, why));
  // What was moved, and could not be acked, is moved again.
  if (id !== undefined) copy.append(MESSAGE_ID, id);
  return copy;
}
