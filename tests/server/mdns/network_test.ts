/**
 * Multicast DNS on a network of its own, where two ends of a virtual cable are all there is.
 *
 * @module
 */

import { namespaceTest } from "../../support/namespace.ts";

namespaceTest("agents find each other by multicast DNS, also agents of another kind", {
  // Both IP versions, no wait for duplicate addresses, a default route for the system's choice.
  setup: [
    "for f in /proc/sys/net/ipv6/conf/*/accept_dad; do echo 0 > $f 2>/dev/null || true; done",
    "ip link set lo up",
    "ip link add veth0 type veth peer name veth1",
    ...[1, 2, 3].map((i) => `ip addr add 10.15.0.${i}/24 dev veth0`),
    "ip -6 addr add fd15::1/64 dev veth0 nodad",
    "ip link set veth0 up",
    "ip link set veth1 up",
    "ip route add default via 10.15.0.254 dev veth0",
  ],
  file: "mdns/in_namespace.ts",
});
