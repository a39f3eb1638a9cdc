/** The server refuses the token. */
import { pause, type World } from "../world.ts";

/** How long it is watched after its first refusal, in milliseconds. */
const WATCHED = 10_000;

/** What happened. */
export type Token = {
  /** What the script is told. */
  readonly reason: string;
  /** Whether the library stops trying. */
  readonly over: boolean;
};

/** Measures it. */
export async function token(world: World): Promise<Token> {
  await world.startServer({ token: true });
  const client = await world.start("connection", { token: "nonsense" });
  const isRefused = ({ event }: { readonly event: string }) => event === "lost" || event === "over";
  await client.told("the refusal", isRefused);
  await pause(WATCHED);
  const { event, reason } = client.notes.filter(isRefused).at(-1) as {
    readonly event: string;
    readonly reason: string;
  };
  return { reason, over: event === "over" };
}
