/**
 * Connections on which small writes go out at once: one that waits for the peer to acknowledge what went before waits for up to
 * 40 ms, as peers put that off.
 *
 * @module
 */

/** Has a connection send at once what it is given. */
export function sendAtOnce(conn: Deno.TcpConn): void {
  try {
    conn.setNoDelay(true);
  } catch {
    // The peer is gone, which the first read tells.
  }
}
