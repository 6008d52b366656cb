/**
 * How messages are compressed on their way, as a flag.
 *
 * @module
 */

import type { TopicCompression } from "../../client/mod.ts";
import { ExpectedError, type Flag, parsedFlag } from "../shell/flags.ts";

/** The flag. */
export const compressionFlag: Flag<TopicCompression | undefined> = parsedFlag<
  TopicCompression | undefined
>(
  "gzip|deflate",
  "Messages are compressed on their way, by gzip or deflate: less volume, more work. Default: they are not.",
  undefined,
  (text) => {
    if (text === "gzip" || text === "deflate") return text;
    throw new ExpectedError("gzip or deflate");
  },
);
