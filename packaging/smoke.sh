#!/usr/bin/env bash
# smoke.sh COMMAND...: whether a skein on this machine works at all. The command tells its version, runs an agent that
# shows itself and takes an event, and leaves with exit code 0. Ends within a minute.
set -uo pipefail
[ $# -gt 0 ] || { echo "Usage: smoke.sh COMMAND..." >&2; exit 2; }
bind=${SMOKE_BIND:-127.0.0.1:17946}
rpc=${SMOKE_RPC:-127.0.0.1:17373}
log=$(mktemp)
agent=
finish() {
  [ -z "$agent" ] || kill -9 "$agent" 2>/dev/null
  rm -f "$log"
}
trap finish EXIT
fail() { echo "FAILED: $*"; cat "$log"; exit 1; }

"$@" version || fail "version"
"$@" agent -node smoke -bind "$bind" -rpc-addr "$rpc" >"$log" 2>&1 &
agent=$!
members=
for _ in $(seq 1 60); do
  members=$("$@" members -rpc-addr "$rpc" 2>&1) && break
  kill -0 "$agent" 2>/dev/null || fail "the agent ended: $members"
  sleep 0.5
done
echo "$members"
case $members in smoke*alive*) ;; *) fail "no living member 'smoke'" ;; esac
"$@" event -rpc-addr "$rpc" -coalesce=false deploy v1 || fail "event"
"$@" leave -rpc-addr "$rpc" || fail "leave"
wait "$agent"
code=$?
agent=
[ "$code" = 0 ] || fail "the agent ended with $code, wanted 0"
grep -q "Received event: user-event: deploy" "$log" || fail "the agent did not log the event"
echo "ok"
