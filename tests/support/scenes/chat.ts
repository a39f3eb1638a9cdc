/** The chat: three people in the lobby, and messages in the kitchen. */
import { DatabaseSync } from "node:sqlite";
import { post, WebClient } from "../web-client.ts";
import type { Scene } from "./scene.ts";

const YESTERDAY = [
  ["Grace", "lobby", "The pallets for A17 are at the dock."],
  ["Grace", "lobby", "Two of them are wet. I take pictures."],
  ["Linus", "lobby", "Thanks! The form is https://example.com/claims?order=A17"],
];
const TODAY = [
  ["Ada", "lobby", "Good morning. What is left of yesterday:\n- A17: the claim\n- A18: a label"],
  ["Linus", "lobby", "The claim is sent."],
  ["Grace", "lobby", "Is the label printer back?"],
  ["Ada", "lobby", "It is. I changed the ribbon, so the first labels may be pale."],
  ["Linus", "deliveries", "Gate 2 is closed until noon."],
];
const LIVE = [
  ["Grace", "lobby", "Then I print A18 now."],
  ["Ada", "kitchen", "Soup is ready"],
  ["Ada", "kitchen", "And bread."],
  ["Linus", "lobby", "Printed and on its way."],
];

/** The scene. */
export const chat: Scene = {
  name: "chat",
  example: "chat",
  connector: "ws",
  database: "CHAT_DB",
  // The pages are one user in four windows.
  script: `sessionStorage.setItem("user_id", "user-Mia"); sessionStorage.setItem("name", "Mia");`,
  filled: "The claim is sent.",
  played: "Printed and on its way.",
  async fill({ origin, database }) {
    store(database, YESTERDAY, Date.now() - 86_400_000);
    store(database, TODAY, Date.now() - 1_800_000);
    for (const [id, status] of [["A16", "delivered"], ["A17", "claimed"], ["A18", "packed"]]) {
      await post(`${origin}/orders`, { id, status });
    }
    const people = await Promise.all(["Ada", "Grace", "Linus"].map((name) => enter(origin, name)));
    return () => people.forEach((person) => person.close());
  },
  async play({ origin }) {
    for (const [author, room, text] of LIVE) {
      const client = await enter(origin, author, room);
      const data = { id: crypto.randomUUID(), room, text };
      await client.request({ type: "message", data });
      // As after a cut: it keeps its place in the room.
      client.close(4000);
    }
    await post(`${origin}/orders`, { id: "A18", status: "sent" });
  },
};

async function enter(origin: string, name: string, room = "lobby"): Promise<WebClient> {
  const url = `${origin.replace("http", "ws")}/ws?user_id=user-${name}&name=${name}`;
  const client = await WebClient.open(url);
  await client.request({ type: "join_room", room });
  return client;
}

/** Stores what was said earlier, a minute apart. */
function store(file: string, messages: readonly (readonly string[])[], start: number): void {
  const database = new DatabaseSync(file);
  const statement = database.prepare(
    "INSERT INTO messages (id, room, author, text, created_at) VALUES (?, ?, ?, ?, ?)",
  );
  for (const [index, [author, room, text]] of messages.entries()) {
    const at = new Date(start + index * 60_000).toISOString();
    statement.run(crypto.randomUUID(), room, author, text, at);
  }
  database.close();
}
