/**
 * The port of clients with sessions, of a server.
 *
 * @module
 */

import type { Address } from "../../../cluster/runtime.ts";
import { joinHostPort } from "../../../protocol/host_port.ts";
import type { Guard } from "../../kv/access/guard.ts";
import type { StateServer } from "../../replica/state_server.ts";
import { SessionPort } from "../../sessions/port.ts";
import type { AgentHost } from "../host.ts";

/**
 * Lets clients with sessions in, and tells the other servers where.
 *
 * @throws {SessionListenError} when the address cannot be used.
 */
export function listenForSessions(
  { config, log }: AgentHost,
  { host, port }: Address,
  { server, maxConnections }: { readonly server: StateServer; readonly maxConnections: number },
  guard: Guard | undefined,
): SessionPort {
  const sessions = SessionPort.listen({
    address: joinHostPort(host, port),
    state: server,
    sessions: server.sessions,
    cluster: {
      get leaderId() {
        return server.cluster.leader || undefined;
      },
      get isLeader() {
        return server.leader === config.nodeName;
      },
      info: () => server.cluster,
    },
    log,
    access: guard?.access,
    tls: guard?.tls,
    maxConnections,
  });
  server.announce("sessions", sessions.address);
  return sessions;
}
