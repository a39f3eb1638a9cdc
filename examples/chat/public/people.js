// The people in the room, and those of them that are typing.

import { $ } from "./page.js";

/** How long after the last key somebody still counts as typing, in milliseconds. */
const TYPING = 3_000;

/** Their names by user, as they were shown last. */
let people = new Map();

/** Shows who is in the room, and returns what there is to say about a change. */
export function showPeople({ members, count }, me, change) {
  const before = people;
  people = new Map(members.map(({ user_id, key, info }) => [user_id ?? key, info.name]));
  showTyping(members.filter(({ user_id, data }) => user_id !== me && data?.typing));
  const names = [...new Set(people.values())].sort((a, b) => a.localeCompare(b));
  // A room with very many members tells only how many they are.
  if (count > people.size) $("people").textContent = `${count} people are here`;
  else $("people").textContent = names.length === 0 ? "" : `Here: ${names.join(", ")}`;
  $("people").title = $("people").textContent;
  // The whole list, as after a cut, is no news.
  if (change?.joined === undefined) return [];
  const gone = [...before].filter(([user]) => !people.has(user));
  const others = [...people].filter(([user, name]) => before.get(user) !== name);
  return [
    ...gone.map(([, name]) => `${name} left`),
    ...others.map(([user, name]) =>
      before.has(user) ? `${before.get(user)} is now ${name}` : `${name} joined`
    ),
  ];
}

function showTyping(members) {
  const names = members.map(({ info }) => info.name);
  const last = names.pop();
  if (last === undefined) $("typing").textContent = "";
  else if (names.length === 0) $("typing").textContent = `${last} is typing…`;
  else if (names.length > 2) $("typing").textContent = "Several people are typing…";
  else $("typing").textContent = `${names.join(", ")} and ${last} are typing…`;
}

/** Tells a room whether this user is typing, at most when that changes. */
export function createTyping() {
  let room;
  let timer;
  // A state that does not arrive does no harm.
  const tell = (typing) => room?.setPresence({ typing }).catch(() => {});
  const stop = () => {
    clearTimeout(timer);
    tell(false);
    room = undefined;
  };
  return {
    /** A key was pressed; the room is undefined until the page has joined it. */
    goOn(current) {
      if (room !== current) {
        stop();
        room = current;
        tell(true);
      }
      clearTimeout(timer);
      timer = setTimeout(stop, TYPING);
    },
    stop,
  };
}
