/**
 * The processes of one service as a group: who is there, who leads, what they send and share. It
 * starts nothing and opens nothing: `workers/` does.
 *
 * May import base/ and contract/.
 */
export { Coordinator, type RemoteMember } from "./coordinator.ts";
export { startHealthChecks } from "./health.ts";
export { ClusterMember } from "./member.ts";
export type { ChannelMessage, CoordinatorFunctions, MemberFunctions, Remote } from "./protocol.ts";
