/** The chats, and how many lines of code they have. */
import { libraries, type OfEach } from "./libraries/mod.ts";

/** The lines of a text in JavaScript that are neither blank nor a comment. */
export function countLines(text: string): number {
  const code = text.replaceAll(/^\s*\/\*\*[^]*?\*\/$/gm, "");
  return code.split("\n").filter((line) => !/^\s*(?:\/\/.*)?$/.test(line)).length;
}

/** The text of each library's chat. */
export async function readChats(): Promise<OfEach<string>> {
  const texts = await Promise.all(libraries.map(async (library) => {
    const file = new URL(`chat/${library}.js`, import.meta.url);
    return [library, await Deno.readTextFile(file)] as const;
  }));
  return Object.fromEntries(texts) as OfEach<string>;
}
