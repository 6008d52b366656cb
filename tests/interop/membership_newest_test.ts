/**
 * Mixed clusters with the newest `serf`, as `go install` builds it.
 *
 * @module
 */

import { newestGoTest } from "../support/interop/go.ts";
import { lifeTime } from "../support/interop/life_time.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

const KEY = "-encrypt=T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=";

newestGoTest("a mixed cluster is one cluster", (go) => lifeTime(go, HOST, []));
newestGoTest("a mixed cluster is one cluster, encrypted", (go) => {
  return lifeTime(go, HOST, [KEY]);
});
