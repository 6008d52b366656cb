/**
 * A program that holds idle connections: `idle_clients.ts HOST PORT COUNT HELLO WELCOME ASK ANSWER`, the last four in hex. Each
 * connection sends HELLO and gets WELCOME, and the program says `open` when all have it. At the line `ask` each sends ASK, and
 * when all have ANSWER it says `asked`. It ends at the next line.
 *
 * @module
 */

/** Connections that are worked with at a time, well below the length of the kernel's queue. */
const AT_A_TIME = 50;

const [hostname = "", port, count, ...texts] = Deno.args;
const [hello, welcome, request, answer] = texts.map((text) => Uint8Array.fromHex(text)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const clients: Deno.TcpConn[] = [];
while (clients.length < Number(count)) {
  const length = Math.min(AT_A_TIME, Number(count) - clients.length);
  clients.push(...await Promise.all(Array.from({ length }, connect)));
}
console.log("open");
await line();
for (let i = 0; i < clients.length; i += AT_A_TIME) {
  const some = clients.slice(i, i + AT_A_TIME);
  await Promise.all(some.map((conn) => ask(conn, request, answer)));
}
console.log("asked");
await line();
for (const conn of clients) conn.close();

async function connect(): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await ask(conn, hello, welcome);
  return conn;
}

/** Sends a request and reads the bytes of its answer. */
async function ask(conn: Deno.Conn, bytes: Uint8Array, expected: Uint8Array): Promise<void> {
  await conn.write(bytes);
  const buffer = new Uint8Array(expected.length);
  for (let length = 0; length < buffer.length;) {
    const count = await conn.read(buffer.subarray(length));
    if (count === null) throw new Error("The agent closed an idle connection");
    length += count;
  }
  if (buffer.toHex() !== expected.toHex()) throw new Error(`Unexpected answer ${buffer.toHex()}`);
}

async function line(): Promise<void> {
  await Deno.stdin.read(new Uint8Array(64));
}
