/**
 * The smallest server that Deno can run: what an agent's start time and memory are measured against.
 *
 * `deno run --allow-net bench/bare_listener.ts IP PORT`
 *
 * @module
 */

const [hostname = "127.0.0.1", port] = Deno.args;
for await (const connection of Deno.listen({ hostname, port: Number(port) })) {
  await connection.write(Uint8Array.of(1));
  connection.close();
}
