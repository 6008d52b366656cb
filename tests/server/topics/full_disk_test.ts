import { namespaceTest } from "../../support/namespace.ts";

namespaceTest(
  "without room on its disk a server refuses messages, serves those it has, and goes on when there is",
  {
    setup: ["ip link set lo up", "mount -t tmpfs -o size=24m none /mnt"],
    file: "topics/full_disk_in_namespace.ts",
  },
);
