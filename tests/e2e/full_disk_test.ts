/**
 * A server whose disk is full, in a mount namespace of its own.
 *
 * @module
 */

import { namespaceTest } from "../support/namespace.ts";

namespaceTest("a server on a full disk ends cleanly, and loses nothing", {
  setup: ["ip link set lo up", "mount -t tmpfs -o size=16m none /mnt"],
  file: "e2e/full_disk_in_namespace.ts",
});
