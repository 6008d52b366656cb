/**
 * The least that a Deno program can do for a request: it answers each with the same prepared bytes. What an agent's
 * answer time is measured against.
 *
 * `deno run -A bench/bare_server.ts IP PORT ANSWER_FILE`
 *
 * @module
 */

import { encode } from "@msgpack/msgpack";

const [hostname = "127.0.0.1", port, file = ""] = Deno.args;
const greeting = encode({ Seq: 0, Error: "" });
const answer = await Deno.readFile(file);

for await (const connection of Deno.listen({ hostname, port: Number(port) })) {
  void serve(connection);
}

async function serve(connection: Deno.TcpConn): Promise<void> {
  connection.setNoDelay(true);
  const buffer = new Uint8Array(1024);
  try {
    if (await connection.read(buffer) === null) return;
    await connection.write(greeting);
    while (await connection.read(buffer) !== null) await connection.write(answer);
  } catch {
    /* The peer has gone. */
  } finally {
    connection.close();
  }
}
