/** How a client of a test asks a connector to let it in, without a network. */
import type { StreamEndpoint } from "../transport/event-stream.ts";
import type {
  HandshakeRequest,
  SocketEndpoint,
  SocketSession,
  VouchedClient,
} from "../transport/socket.ts";
import type { TestClient } from "../model/test.ts";

const UPGRADE = {
  host: "localhost",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
};
const STREAM = { host: "localhost", accept: "text/event-stream" };
/** A header that differs between clients, whether they have a WebSocket or a stream. */
export const KEY = "sec-websocket-key";

/** Where a client connects. */
export interface Places {
  readonly endpoint: SocketEndpoint;
  /** For a client of a stream. */
  readonly stream: StreamEndpoint | undefined;
  /** Another number for each client. */
  readonly number: number;
}

/** The answer: a connection, or why there is none. */
export type Answer = { readonly accepted: true; readonly session: SocketSession } | {
  readonly accepted: false;
  readonly status: number;
  readonly message: string;
  /** The code of the error, where the answer has one. */
  readonly code?: string;
};

/** Sixteen bytes in Base64. */
export function keyOf({ number }: Places): string {
  return btoa(`weir test ${String(number).padStart(6, "0")}`);
}

/** Asks for a WebSocket, or for a stream with all rooms of the client. */
export async function knock(
  client: TestClient,
  places: Places,
  lastEventId?: string,
): Promise<Answer> {
  const { endpoint, stream } = places;
  if (!client.sse) {
    const request = requestOf(client, places, endpoint.path, UPGRADE);
    const answer = await endpoint.accept(request, vouched(client));
    if (!answer.accepted || answer.refusal === undefined) return answer;
    // A test sees the refusal itself, whether or not its client could see more than the status.
    answer.session.abandon();
    return answer.refusal;
  }
  if (stream === undefined) throw new Error("the connector has no streams");
  const headers = lastEventId === undefined ? STREAM : { ...STREAM, "last-event-id": lastEventId };
  const request = requestOf(client, places, stream.path, headers);
  for (const room of client.rooms) request.url.searchParams.append("room", room);
  if (client.presence === true) request.url.searchParams.set("presence", "1");
  const answer = await stream.answer(request, vouched(client));
  if (answer.accepted) return answer;
  const { error } = JSON.parse(answer.body ?? "{}");
  const { code, message = "" } = error ?? {};
  return { accepted: false, status: answer.status, message, code };
}

function requestOf(
  { userId, verified, params, headers, remoteAddress }: TestClient,
  places: Places,
  path: string,
  own: Readonly<Record<string, string>>,
): HandshakeRequest {
  const url = new URL(path, "http://localhost");
  if (userId !== null && !verified) url.searchParams.set("user_id", userId);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return {
    method: "GET",
    url,
    headers: { ...own, ...headers, [KEY]: keyOf(places) },
    // An address that is reserved for documentation.
    remoteAddress: remoteAddress ?? `2001:db8::${places.number.toString(16)}`,
  };
}

/** Replaces a token, if the connector requires one. */
function vouched({ userId, claims, verified }: TestClient): VouchedClient | undefined {
  return verified && (userId !== null || claims !== null) ? { userId, claims } : undefined;
}
