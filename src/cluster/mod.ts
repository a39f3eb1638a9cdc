/**
 * The processes of one service as a group: its members, its leader, and the messages and limits that
 * they share. `workers/` starts the processes and connects them.
 *
 * May import base/ and contract/.
 */
export { Coordinator, type RemoteMember } from "./coordinator.ts";
export { startHealthChecks } from "./health.ts";
export { ClusterMember } from "./member.ts";
export type { ChannelMessage, CoordinatorFunctions, MemberFunctions, Remote } from "./protocol.ts";
