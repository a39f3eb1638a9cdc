/** A client in a thread of its own: it sends requests one after the other, and measures its waits. */
/// <reference lib="deno.worker" />

/** Milliseconds between two requests. */
const PAUSE = 2;

const waits: number[] = [];
let isOver = false;

self.onmessage = async ({ data }: MessageEvent<{ readonly port: number } | "end">) => {
  if (data === "end") {
    isOver = true;
    return;
  }
  const socket = new WebSocket(`ws://127.0.0.1:${data.port}/ws`);
  await new Promise((resolve) => socket.onopen = resolve);
  self.postMessage("ready");
  for (let id = 1; !isOver; id++) {
    const began = performance.now();
    const answered = new Promise((resolve) => socket.onmessage = resolve);
    socket.send(JSON.stringify({ type: "echo", id, data: { n: id } }));
    await answered;
    waits.push(performance.now() - began);
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  socket.close();
  self.postMessage(waits);
};
