/**
 * What an operator sees of each fault. The tests `tests/services/symptoms-*.test.ts` let each fault
 * happen and compare, and `docs/symptoms.ts` writes the tables of docs/symptoms.md.
 */
export { brokers } from "./faults/brokers.ts";
export { databases } from "./faults/databases.ts";
export { flows } from "./faults/flows.ts";
export { processes } from "./faults/processes.ts";
