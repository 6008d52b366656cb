import { namespaceTest } from "../../../support/namespace.ts";

namespaceTest("a store keeps what it has when there is no room on its disk", {
  setup: ["mount -t tmpfs -o size=2m none /mnt"],
  file: "replica/full_disk_in_namespace.ts",
});
