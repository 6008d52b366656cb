/**
 * A process that opens the data directory of its argument, tells the node id, and holds it until its input ends.
 *
 * @module
 */

import { openDirectory } from "../../../server/replica/directory/directory.ts";

await using directory = await openDirectory(Deno.args[0] as string);
console.log(directory.nodeId);
await Deno.stdin.read(new Uint8Array(1));
