/** How one turn of phrase is corrected. */

import type { Draft } from "./pieces.ts";

/** Corrects all places of one kind. Returns the reason, or undefined if it found none. */
export type Correction = (draft: Draft) => string | undefined;

/** Goes through the pieces; `act` returns a reason where it corrected something. */
export function each(act: (draft: Draft, at: number) => string | undefined): Correction {
  return (draft) => {
    let reason: string | undefined;
    for (let at = 0; at < draft.length; at++) reason = act(draft, at) ?? reason;
    return reason;
  };
}
