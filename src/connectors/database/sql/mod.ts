/** SQL as far as Weir reads it: the parameters of queries, and what statements do. */
export { parseQuery, type Query } from "./query.ts";
export { type ScriptStatement, statementsOf, transactionControl } from "./script.ts";
