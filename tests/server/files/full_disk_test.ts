/**
 * Files of the user on a disk that is full, in a mount namespace of their own.
 *
 * @module
 */

import { namespaceTest } from "../../support/namespace.ts";

namespaceTest("a file keeps its content when there is no room for a new one", {
  setup: [
    "mount -t tmpfs none /mnt",
    "mkdir /mnt/small /mnt/folder",
    "mount -t tmpfs -o size=64k none /mnt/small",
    "echo old > /mnt/small/beside",
    "head -c 4096 /dev/zero | tr '\\0' o > /mnt/small/alone",
    "touch /mnt/folder/mounted",
    "mount --bind /mnt/small/alone /mnt/folder/mounted",
  ],
  file: "files/in_namespace.ts",
});
