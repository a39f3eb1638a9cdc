/** What the three chats of this folder have in common. `lines.ts` counts the lines of the others. */

/** A message of the chat. */
export interface Message {
  readonly n: number;
}

/** A chat in one room. */
export interface Chat {
  /** Says something; resolves when the server has it. */
  say(message: Message): Promise<unknown>;
  close(): void;
}

/**
 * Opens a chat, which comes back after a cut, and has then what was said meanwhile.
 *
 * `show` gets each message, and `reload` is called where some are missing and cannot be had.
 */
export type OpenChat = (
  url: string,
  room: string,
  show: (message: Message) => void,
  reload: () => void,
) => Promise<Chat>;
