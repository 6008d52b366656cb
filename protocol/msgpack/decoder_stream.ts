/**
 * MessagePack as a web stream.
 *
 * @module
 */

import { DecodeError } from "./limits.ts";
import { Splitter, type SplitterLimits } from "./splitter.ts";
import { decodeValue, type Value } from "./value.ts";

/**
 * Bytes in, decoded values out. Byte strings in a value may be views of the chunk they came in.
 *
 * The stream errors with {@linkcode DecodeError} on bytes that are no MessagePack, beyond a limit, and when it
 * ends inside a value.
 *
 * @example Values from a connection
 * ```ts ignore
 * for await (const value of conn.readable.pipeThrough(new MessagePackDecoderStream())) {
 *   console.log(value);
 * }
 * ```
 */
export class MessagePackDecoderStream extends TransformStream<Uint8Array, Value> {
  /** A decoder with bounds that differ from the defaults where `limits` says so. */
  constructor(limits?: Partial<SplitterLimits>) {
    let controller: TransformStreamDefaultController<Value>;
    const valueOptions = limits === undefined ? {} : { limits };
    const splitter = new Splitter(
      (value) => controller.enqueue(decodeValue(value, valueOptions)),
      limits,
    );
    super({
      start(c): void {
        controller = c;
      },
      transform(chunk): void {
        splitter.push(chunk);
      },
      flush(): void {
        if (splitter.pending > 0) {
          throw new DecodeError(`Stream ended ${splitter.pending} bytes into a value`);
        }
      },
    });
  }
}
