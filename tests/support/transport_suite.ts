/**
 * What every `Transport` must do. The real one and the simulated one run the same tests, so that what
 * holds in the simulator holds on a machine.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Address, Stream, Transport } from "../../cluster/runtime.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import { joinHostPort } from "../../protocol/host_port.ts";

/** The network that a test runs in. */
export interface TransportWorld {
  /** A new transport on the address of this name; the world closes it after the test. */
  open(name: "a" | "b"): Promise<Transport>;
  /** An address of this network where nobody listens and dials are refused. */
  refusing(): Promise<Address>;
  /** An address where dials succeed and a stream is reset at its first byte. */
  resetting(): Promise<Address>;
  /** An address where dials get no answer. */
  silent(): Promise<Address>;
}

/** Runs a test in a fresh world and ends the world. */
export type RunInWorld = (test: (world: TransportWorld) => Promise<void>) => Promise<void>;

/** A dial that must succeed may take this long. */
const DIAL_MS = 5_000;

/** Registers the tests of the suite under `name`. */
export function transportSuite(name: string, run: RunInWorld): void {
  const test = (sentence: string, body: (world: TransportWorld) => Promise<void>): void =>
    Deno.test(`${name}: ${sentence}`, () => run(body));

  test("packets go both ways, in order, with the sender's address", async (world) => {
    const { a, b, atA, atB } = await pair(world);
    for (let i = 0; i < 20; i++) {
      a.sendPacket(b.localAddress, Uint8Array.of(i));
      b.sendPacket(a.localAddress, Uint8Array.of(100 + i));
    }
    for (let i = 0; i < 20; i++) {
      const there = await atB.packet();
      assert.deepEqual([there.from, [...there.bytes]], [a.localAddress, [i]]);
      const back = await atA.packet();
      assert.deepEqual([back.from, [...back.bytes]], [b.localAddress, [100 + i]]);
    }
  });

  test("packets arrive whole, from 1 byte to the most that UDP carries", async (world) => {
    const { a, b, atB } = await pair(world);
    for (const length of [1, 1_400, 9_000, 65_507]) {
      const bytes = pattern(length);
      a.sendPacket(b.localAddress, bytes);
      assert.deepEqual((await atB.packet()).bytes, bytes);
    }
  });

  test("a packet that is too large is lost without harm", async (world) => {
    const { a, b, atB } = await pair(world);
    a.sendPacket(b.localAddress, new Uint8Array(65_508));
    a.sendPacket(b.localAddress, Uint8Array.of(1));
    assert.deepEqual([...(await atB.packet()).bytes], [1]);
  });

  test("the receiver owns the bytes of a packet", async (world) => {
    const { a, b, atB } = await pair(world);
    a.sendPacket(b.localAddress, Uint8Array.of(1));
    a.sendPacket(b.localAddress, Uint8Array.of(2));
    const first = await atB.packet();
    const second = await atB.packet();
    second.bytes[0] = 9;
    assert.deepEqual([first.bytes.length, first.bytes[0]], [1, 1]);
  });

  test("a transport reaches itself by packet and stream", async (world) => {
    const { a, atA } = await pair(world);
    a.sendPacket(a.localAddress, Uint8Array.of(7));
    const { from, bytes } = await atA.packet();
    assert.deepEqual([from, [...bytes]], [a.localAddress, [7]]);
    const dialled = await a.dial(a.localAddress, DIAL_MS);
    const accepted = await atA.stream();
    await dialled.write(pattern(10));
    dialled.close();
    assert.deepEqual(await readAll(accepted), pattern(10));
    accepted.close();
  });

  test("streams carry bytes both ways and end with null", async (world) => {
    const { b, dialled, accepted } = await stream(world);
    assert.deepEqual(dialled.remote, b.localAddress);
    await dialled.write(pattern(100));
    await dialled.write(pattern(50));
    assert.deepEqual(await readExactly(accepted, 150), concatBytes([pattern(100), pattern(50)]));
    await accepted.write(pattern(20));
    accepted.close();
    assert.deepEqual(await readAll(dialled), pattern(20));
    assert.equal(await dialled.read(), null);
    dialled.close();
  });

  test("a megabyte passes a stream", async (world) => {
    const { dialled, accepted } = await stream(world);
    const bytes = pattern(1_000_000);
    const written = dialled.write(bytes).then(() => dialled.close());
    assert.deepEqual(await readAll(accepted), bytes);
    await written;
    accepted.close();
  });

  test("a stream that the other end resets rejects", async (world) => {
    const { a } = await pair(world);
    const dialled = await a.dial(await world.resetting(), DIAL_MS);
    await dialled.write(pattern(1));
    await assert.rejects(dialled.read(), /: connection reset by peer$/);
    await assert.rejects(dialled.write(pattern(1)), /: broken pipe$/);
    dialled.close();
  });

  test("closing a stream ends its own pending read, and twice is once", async (world) => {
    const { dialled, accepted } = await stream(world);
    const reading = assert.rejects(dialled.read());
    dialled.close();
    dialled.close();
    await reading;
    await assert.rejects(dialled.read());
    await assert.rejects(dialled.write(pattern(1)));
    assert.equal(await accepted.read(), null);
    accepted.close();
  });

  test("a dial where nobody listens is refused", async (world) => {
    const { a } = await pair(world);
    const to = await world.refusing();
    await assert.rejects(a.dial(to, DIAL_MS), {
      message: `dial tcp ${joinHostPort(to.host, to.port)}: connect: connection refused`,
    });
  });

  test("a dial that gets no answer ends at its time limit", async (world) => {
    const { a } = await pair(world);
    const to = await world.silent();
    await assert.rejects(a.dial(to, 50), {
      message: `dial tcp ${joinHostPort(to.host, to.port)}: i/o timeout`,
    });
  });

  test("streams do not mix", async (world) => {
    const { a, b, atB } = await pair(world);
    const echoing = (async () => {
      for (let i = 0; i < 10; i++) {
        const accepted = await atB.stream();
        void readExactly(accepted, 1_000).then(async (bytes) => {
          await accepted.write(bytes);
          accepted.close();
        });
      }
    })();
    await Promise.all(Array.from({ length: 10 }, async (_, i) => {
      const dialled = await a.dial(b.localAddress, DIAL_MS);
      const bytes = new Uint8Array(1_000).fill(i);
      await dialled.write(bytes.subarray(0, 1));
      await dialled.write(bytes.subarray(1));
      assert.deepEqual(await readAll(dialled), bytes);
      dialled.close();
    }));
    await echoing;
  });

  test("close ends streams and dials, and nothing is delivered after it", async (world) => {
    const { a, b, atA, atB } = await pair(world);
    const dialled = await a.dial(b.localAddress, DIAL_MS);
    const accepted = await atB.stream();
    const reading = assert.rejects(dialled.read());
    const dialling = assert.rejects(a.dial(await world.silent(), DIAL_MS));
    await a.close();
    await a.close();
    await Promise.all([reading, dialling]);
    await assert.rejects(a.dial(b.localAddress, DIAL_MS));
    a.sendPacket(b.localAddress, Uint8Array.of(1));
    b.sendPacket(a.localAddress, Uint8Array.of(2));
    b.sendPacket(b.localAddress, Uint8Array.of(3));
    assert.deepEqual([...(await atB.packet()).bytes], [3]);
    assert.equal(atA.packets, 0);
    assert.equal(await accepted.read(), null);
    accepted.close();
  });

  test("an address resolves to itself and an unknown name to nothing", async (world) => {
    const { a } = await pair(world);
    assert.deepEqual(await a.resolve("127.0.0.1"), ["127.0.0.1"]);
    assert.deepEqual(await a.resolve("::1"), ["::1"]);
    await assert.rejects(a.resolve("nobody.invalid"), {
      message: "lookup nobody.invalid: no such host",
    });
  });
}

/** What arrived at a transport and nobody took yet. */
class Inbox {
  readonly #packets = new Waiting<{ from: Address; bytes: Uint8Array }>();
  readonly #streams = new Waiting<Stream>();

  constructor(transport: Transport) {
    transport.start({
      packet: (from, bytes) => this.#packets.add({ from, bytes }),
      stream: (stream) => this.#streams.add(stream),
    });
  }

  get packets(): number {
    return this.#packets.length;
  }

  packet(): Promise<{ from: Address; bytes: Uint8Array }> {
    return this.#packets.next();
  }

  stream(): Promise<Stream> {
    return this.#streams.next();
  }
}

class Waiting<T> {
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;

  get length(): number {
    return this.#items.length;
  }

  add(item: T): void {
    this.#items.push(item);
    this.#wake?.();
  }

  async next(): Promise<T> {
    while (this.#items.length === 0) await new Promise<void>((resolve) => this.#wake = resolve);
    return this.#items.shift() as T;
  }
}

async function pair(world: TransportWorld) {
  const [a, b] = [await world.open("a"), await world.open("b")];
  return { a, b, atA: new Inbox(a), atB: new Inbox(b) };
}

async function stream(world: TransportWorld) {
  const { a, b, atB } = await pair(world);
  const dialled = await a.dial(b.localAddress, DIAL_MS);
  return { a, b, dialled, accepted: await atB.stream() };
}

async function readAll(stream: Stream): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk !== null; chunk = await stream.read()) {
    chunks.push(chunk);
  }
  return concatBytes(chunks);
}

async function readExactly(stream: Stream, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let got = 0; got < length;) {
    const chunk = await stream.read();
    assert.ok(chunk !== null, `Stream ended after ${got} of ${length} bytes`);
    chunks.push(chunk);
    got += chunk.length;
  }
  return concatBytes(chunks);
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 255);
}
