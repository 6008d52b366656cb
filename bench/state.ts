/**
 * skein's replicated state beside etcd and Redis: all run on this machine in the same minutes, at equal durability, are
 * measured in turn by one load program, and are printed beside goals that are ratios.
 *
 * `deno task bench:state [--quick] [--runs 3] [--only one,restart] [--peers skein,etcd,redis] [--seconds 60] [--dir FOLDER] [--out FOLDER]`
 *
 * `--seconds` is for how long many sessions work, 10 by itself.
 *
 * Needs Linux and Go, which builds the load program. `etcd` and `redis-server` are those on PATH, or `SKEIN_ETCD` and
 * `SKEIN_REDIS`; who is missing is skipped. Data go below `--dir`, by default the folder for temporary files, which has
 * to be on a disk. A whole run writes its result and a chart under `bench/results/`, any other one only where `--out`
 * says. `deno task bench:pages` then puts it into the page.
 *
 * @module
 */

import { runBenchmark } from "./state/benchmark.ts";
import { measureConnections } from "./state/connections.ts";
import { measureFailover, measureLargeRestart, measureRestart } from "./state/failures.ts";
import { measurePublish, measureWatch } from "./state/fanout.ts";
import { measureIdle } from "./state/idle.ts";
import { measureLevers } from "./state/levers.ts";
import { etcdPeer, redisPeer, skeinPeer } from "./state/peers.ts";
import { measureRate } from "./state/rate.ts";
import { measureRequests } from "./state/requests.ts";
import { stateChart } from "./state/result.ts";
import { measureSessions } from "./state/sessions.ts";

await runBenchmark({
  task: "bench:state",
  parts: {
    one: ["Requests, one server", (scene) => measureRequests(scene, 1)],
    three: ["Requests, three servers", (scene) => measureRequests(scene, 3)],
    rate: ["10,000 SET a second, three servers", measureRate],
    watch: ["A change, to all who watch it", measureWatch],
    publish: ["A message, to all who have subscribed", measurePublish],
    sessions: ["Sessions", measureSessions],
    connections: ["Idle connections, one server", measureConnections],
    failover: ["The leader dies, three servers", measureFailover],
    restart: ["Start anew, one server", measureRestart],
    million: ["Start anew with very many keys, one server", measureLargeRestart],
    idle: ["At rest", measureIdle],
    levers: ["What each optimisation brings, after and before", measureLevers],
  },
  finders: {
    skein: [() => skeinPeer, ""],
    etcd: [etcdPeer, "apt install etcd-server, or name one with SKEIN_ETCD"],
    redis: [redisPeer, "apt install redis-server, or name one with SKEIN_REDIS"],
  },
  files: (result) => ({
    "state.json": JSON.stringify(result, null, 2) + "\n",
    "state.svg": stateChart(result),
  }),
});
