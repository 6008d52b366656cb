/**
 * Files of the user on a disk that is full, in a mount namespace of their own.
 *
 * @module
 */

import { namespaceTest } from "../../support/namespace.ts";

namespaceTest("a file keeps its content when there is no room for a new one", {
  setup: [
    "mount -t tmpfs -o size=64k none /mnt",
    "echo old > /mnt/beside",
    "mkdir /mnt/small && mount -t tmpfs -o size=8k none /mnt/small",
    "head -c 4096 /dev/zero | tr '\\\\0' o > /mnt/small/file && touch /mnt/mounted",
    "mount --bind /mnt/small/file /mnt/mounted",
  ],
  file: "files/in_namespace.ts",
});
