/**
 * A server that answers lines as a test says, to show what the client makes of odd agents.
 *
 * @module
 */

/** Takes a line that is JSON and gives what to send, `null` to close, or nothing. */
export type Script = (request: Record<string, unknown>) => string | null | undefined;

/** The answer to HELLO of an agent that never closes idle connections. */
export const HELLO = '{"status":"ok","result":{"limits":{"idle_ms":0}}}\n';

/** Begins to serve; says HELLO unless the script does. */
export function startScriptedPort(
  host: string,
  script: Script,
): AsyncDisposable & { readonly address: string; hangUp(): void } {
  const listener = Deno.listen({ hostname: host, port: 0 });
  const conns = new Set<Deno.Conn>();
  const serving: Promise<void>[] = [];
  const hangUp = (): void => {
    for (const conn of conns) conn.close();
    conns.clear();
  };
  const accepting = (async () => {
    for await (const conn of listener) {
      conns.add(conn);
      serving.push(serve(conn, script, () => {
        if (conns.delete(conn)) conn.close();
      }));
    }
  })();
  return {
    address: `${host}:${listener.addr.port}`,
    hangUp,
    async [Symbol.asyncDispose]() {
      listener.close();
      hangUp();
      await Promise.all([accepting, ...serving]);
    },
  };
}

async function serve(conn: Deno.Conn, script: Script, close: () => void): Promise<void> {
  const buffer = new Uint8Array(64 * 1024);
  let rest = "";
  try {
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      const lines = (rest + new TextDecoder().decode(buffer.subarray(0, count))).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const request = JSON.parse(line);
        const own = script(request);
        const answer = own === undefined && request.action === "HELLO" ? HELLO : own;
        if (answer === null) return;
        if (answer !== undefined) await conn.write(new TextEncoder().encode(answer));
      }
    }
  } catch {
    // The client is gone, or the test has closed the connection.
  } finally {
    close();
  }
}
