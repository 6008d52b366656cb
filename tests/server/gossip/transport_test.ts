import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { Address, Stream, Transport } from "../../../cluster/runtime.ts";
import { BindError, NetTransport } from "../../../server/gossip/transport.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";
import {
  type RunInWorld,
  transportSuite,
  type TransportWorld,
} from "../../support/transport_suite.ts";

const A = loopback();
const B = loopback();

const QUIET = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** More than the accept queue of `Deno.listen` holds. */
const BACKLOG_FILL = 600;

transportSuite("NetTransport on IPv4", inHosts(A, B));
transportSuite("NetTransport on IPv6", inHosts("::1", "::1"));

Deno.test("NetTransport.open() says what is taken, as the Go agent does", async () => {
  await using first = await NetTransport.open({ host: A, port: 0, logger: QUIET });
  const { port } = first.localAddress;
  await assert.rejects(NetTransport.open({ host: A, port, logger: QUIET }), {
    name: "BindError",
    message: `failed to start TCP listener on "${A}" port ${port}: ` +
      `listen tcp ${A}:${port}: bind: address already in use`,
  });
});

Deno.test("NetTransport.open() gives the TCP port back when UDP cannot have it", async () => {
  const { createSocket } = await import("node:dgram");
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind({ address: A, port: 0 }, resolve));
  const { port } = socket.address();
  await assert.rejects(NetTransport.open({ host: A, port, logger: QUIET }), {
    name: "BindError",
    message: `failed to start UDP listener on "${A}" port ${port}: ` +
      `listen udp ${A}:${port}: bind: address already in use`,
  });
  Deno.listen({ hostname: A, port }).close();
  await new Promise<void>((resolve) => socket.close(() => resolve()));
});

Deno.test("NetTransport.open() refuses an address of another machine", async () => {
  await assert.rejects(
    NetTransport.open({ host: "192.0.2.1", port: 0, logger: QUIET }),
    (error) => {
      assert.ok(error instanceof BindError);
      assert.match(
        error.message,
        /listen tcp 192\.0\.2\.1:0: bind: cannot assign requested address$/,
      );
      return true;
    },
  );
});

Deno.test("beyond its limit NetTransport closes the oldest silent stream, or else the new one", async () => {
  const warnings: string[] = [];
  const logger = { ...QUIET, warn: (message: string) => warnings.push(message) };
  await using server = await NetTransport.open({ host: A, port: 0, logger });
  await using client = await NetTransport.open({ host: A, port: 0, logger: QUIET });
  const accepted: Stream[] = [];
  const arrived = (count: number) => until(() => accepted.length === count);
  server.start({ packet: () => {}, stream: (stream) => accepted.push(stream) });
  client.start({ packet: () => {}, stream: () => {} });
  const dialled: Stream[] = [];
  const dial = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) dialled.push(await client.dial(server.localAddress, 5_000));
  };
  await dial(256);
  await arrived(256);
  await dialled[0]?.write(new Uint8Array(5));
  await accepted[0]?.read();
  for (let i = 1; i <= 4; i++) {
    await dial(1);
    assert.equal(await dialled[i]?.read().catch(() => null), null, "a silent one makes room");
  }
  await arrived(260);
  for (let i = 5; i < 260; i++) {
    await dialled[i]?.write(new Uint8Array(5));
    await accepted[i]?.read();
  }
  for (let i = 260; i < 264; i++) {
    await dial(1);
    assert.equal(await dialled[i]?.read().catch(() => null), null, "nobody is silent");
  }
  assert.equal(accepted.length, 260);
  assert.equal(warnings[0], "Closed a silent TCP connection: 256 are open");
  dialled[0]?.close();
  accepted[0]?.close();
  await dial(1);
  await arrived(261);
});

Deno.test("NetTransport goes on when what arrives cannot be handled", async () => {
  const warnings: string[] = [];
  const logger = { ...QUIET, warn: (message: string) => warnings.push(message) };
  await using transport = await NetTransport.open({ host: A, port: 0, logger });
  const arrived = Promise.withResolvers<void>();
  let packets = 0;
  transport.start({
    packet: () => {
      if (++packets === 3) arrived.resolve();
      throw new Error("No idea");
    },
    stream: () => {},
  });
  for (let i = 0; i < 3; i++) transport.sendPacket(transport.localAddress, Uint8Array.of(i));
  await arrived.promise;
  assert.deepEqual(warnings, ["What arrived could not be handled"]);
});

Deno.test("NetTransport writes IPv4 addresses in dots on an IPv6 socket", async () => {
  await using six = await NetTransport.open({ host: `::ffff:${A}`, port: 0, logger: QUIET });
  await using four = await NetTransport.open({ host: B, port: 0, logger: QUIET });
  assert.equal(six.localAddress.host, A);
  const echoed = Promise.withResolvers<Address>();
  const accepted = Promise.withResolvers<Address>();
  six.start({
    packet: (from, bytes) => six.sendPacket(from, bytes),
    stream: ({ remote }) => accepted.resolve(remote),
  });
  four.start({ packet: (from) => echoed.resolve(from), stream: () => {} });
  four.sendPacket(six.localAddress, Uint8Array.of(1));
  assert.deepEqual(await echoed.promise, six.localAddress);
  await four.dial(six.localAddress, 5_000);
  assert.match((await accepted.promise).host, /^127\.0\.0\.1$/);
});

function inHosts(a: string, b: string): RunInWorld {
  return async (test) => {
    await using cleanup = new AsyncDisposableStack();
    const hosts = { a, b };
    const world: TransportWorld = {
      open: async (name): Promise<Transport> =>
        cleanup.use(await NetTransport.open({ host: hosts[name], port: 0, logger: QUIET })),
      refusing: () => {
        const listener = Deno.listen({ hostname: b, port: 0 });
        listener.close();
        return Promise.resolve(addressOf(listener));
      },
      resetting: async () => {
        const server = createServer((socket) => {
          socket.once("data", () => socket.resetAndDestroy());
        });
        cleanup.defer(() => new Promise((resolve) => server.close(() => resolve())));
        await new Promise<void>((resolve) => server.listen(0, b, resolve));
        return { host: b, port: (server.address() as { port: number }).port };
      },
      silent: async () => {
        const listener = cleanup.adopt(
          Deno.listen({ hostname: b, port: 0 }),
          (listener) => listener.close(),
        );
        await fillBacklog(listener, cleanup);
        return addressOf(listener);
      },
    };
    await test(world);
  };
}

/** Connects without anybody accepting until the kernel lets further connection requests wait. */
async function fillBacklog(
  listener: Deno.TcpListener,
  cleanup: AsyncDisposableStack,
): Promise<void> {
  const { hostname, port } = listener.addr;
  const abort = new AbortController();
  const dials = Array.from(
    { length: BACKLOG_FILL },
    () => Deno.connect({ hostname, port, signal: abort.signal }).catch(() => undefined),
  );
  await Promise.race(dials);
  cleanup.defer(async () => {
    abort.abort();
    for (const conn of await Promise.all(dials)) conn?.close();
  });
}

function addressOf(listener: Deno.TcpListener): Address {
  return { host: listener.addr.hostname, port: listener.addr.port };
}

Deno.test("in a program that has no other use for node:process, a transport sends and closes", async () => {
  const script = `
    import { NetTransport } from "${new URL(
    "../../../server/gossip/transport.ts",
    import.meta.url,
  )}";
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const idle = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
    await idle.close();
    const busy = await NetTransport.open({ host: "127.0.0.1", port: 0, logger });
    const { promise, resolve } = Promise.withResolvers();
    busy.start({ packet: resolve, stream() {} });
    // The system refuses the first, and the second goes all the same.
    busy.sendPacket({ host: "::1", port: 9 }, Uint8Array.of(1));
    busy.sendPacket(busy.localAddress, Uint8Array.of(2));
    await promise;
    await busy.close();
    Deno.exit(0);
  `;
  await using child = new Deno.Command(Deno.execPath(), { args: ["eval", script] }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
  const { code } = await child.status;
  clearTimeout(limit);
  assert.equal(code, 0);
});

Deno.test("a packet that cannot leave the machine is told with its way, and the next one goes out", async () => {
  await using from = await NetTransport.open({ host: A, port: 0, logger: QUIET });
  await using to = await NetTransport.open({ host: A, port: 0, logger: QUIET });
  const arrived = Promise.withResolvers<void>();
  to.start({ packet: () => arrived.resolve(), stream: () => {} });
  const unsent: string[] = [];
  from.start({
    packet: () => {},
    stream: () => {},
    unsent: ({ host }, reason) => unsent.push(`${host} ${reason}`),
  });
  // Broadcasting has to be asked for, so the system refuses it on any machine.
  from.sendPacket({ host: "255.255.255.255", port: 9 }, Uint8Array.of(1));
  from.sendPacket(to.localAddress, Uint8Array.of(2));
  await arrived.promise;
  const way = `write udp ${A}:${from.localAddress.port}->255.255.255.255:9`;
  assert.equal(unsent.length, 1);
  assert.ok(unsent[0]?.startsWith(`255.255.255.255 ${way}: sendto: `), unsent[0]);
});

Deno.test("packets that came hold no more memory than their bytes", async () => {
  await using sender = await NetTransport.open({ host: A, port: 0, logger: QUIET });
  await using receiver = await NetTransport.open({ host: B, port: 0, logger: QUIET });
  const came: Uint8Array[] = [];
  receiver.start({ packet: (_, bytes) => void came.push(bytes), stream: () => {} });
  const before = Deno.memoryUsage().external;
  for (let count = 1; count <= 200; count++) {
    sender.sendPacket(receiver.localAddress, new Uint8Array(100));
    await until(() => came.length === count);
  }
  const held = Deno.memoryUsage().external - before;
  assert.ok(held < 200 * 4_096, `${held} bytes are held`);
});
