/**
 * Mixed clusters with the `serf` that Linux distributions ship.
 *
 * @module
 */

import { goTest } from "../support/interop/go.ts";
import { lifeTime } from "../support/interop/life_time.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

const KEY = "-encrypt=T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";

goTest("a mixed cluster is one cluster", (go) => lifeTime(go, HOST, []));
goTest("a mixed cluster is one cluster, encrypted", (go) => lifeTime(go, HOST, [KEY]));
goTest(
  "a mixed cluster is one cluster, without compression",
  (go) => lifeTime(go, HOST, ["-disable-compression"]),
);
