/**
 * Listening on every address, and choosing the one to tell others, on a network of its own.
 *
 * @module
 */

import { namespaceTest } from "../../support/namespace.ts";

namespaceTest(
  "an agent on all addresses hears both families, and tells the address that Go would",
  {
    // As on a machine with containers: their bridge came first, the card has the default route.
    setup: [
      "mount -t sysfs sysfs /sys",
      "ip link set lo up",
      "ip link add docker0 type veth peer name container",
      "ip link add card0 type veth peer name cable",
      "ip addr add 172.17.0.1/16 dev docker0",
      "ip addr add 10.1.2.3/24 dev card0",
      "ip addr add fd00:99::1/64 dev card0 nodad",
      "for card in docker0 container card0 cable; do ip link set $card up; done",
      "ip route add default via 10.1.2.1",
    ],
    file: "gossip/in_namespace.ts",
  },
);
