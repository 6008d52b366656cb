/**
 * Mixed clusters with the `serf` that Linux distributions ship.
 *
 * @module
 */

import { goTest } from "../support/interop/go.ts";
import { lifeTime } from "../support/interop/life_time.ts";

const KEY = "-encrypt=T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";

goTest("a mixed cluster is one cluster", (go) => lifeTime(go, "127.0.8.21", []));
goTest("a mixed cluster is one cluster, encrypted", (go) => lifeTime(go, "127.0.8.22", [KEY]));
goTest(
  "a mixed cluster is one cluster, without compression",
  (go) => lifeTime(go, "127.0.8.23", ["-disable-compression"]),
);
