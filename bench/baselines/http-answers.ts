/** A frame that is answered by a request to an API, with plain `fetch`. */
import process from "node:process";

const url = String(process.env.BENCH_API);

/** The ack of a frame. */
export async function answerTo(frame: string): Promise<string> {
  const { id, data } = JSON.parse(frame);
  const response = await fetch(`${url}/items/${data.id}`);
  if (!response.ok) throw new Error(`the API answered ${response.status}`);
  const { name, price } = await response.json();
  return JSON.stringify({ type: "ack", id, data: { name, price } });
}
