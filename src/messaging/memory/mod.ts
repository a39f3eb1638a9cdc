/**
 * A broker in memory, which routes as another one does: in tests, and where none is at hand.
 *
 * May import base/ and contract/.
 */
export { MemoryBroker } from "./broker.ts";
export type {
  MemoryBinding,
  MemoryHeaders,
  MemoryLetter,
  MemoryMessage,
  MemoryRouting,
  MemoryTarget,
  Stamp,
} from "./routing.ts";
