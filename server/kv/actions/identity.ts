/**
 * The actions that say who a client is, and what it means by its keys.
 *
 * @module
 */

import { pathText, resolveBase } from "../../../cluster/machine/kv/mod.ts";
import { AUTH_FAILED, type AuthRequest, type UseRequest } from "../../../protocol/kv/mod.ts";
import { type Doing, successOf } from "../action.ts";
import { MAX_AUTH_FAILURES } from "../limits.ts";

const OK = successOf("OK");

/** AUTH. Where nobody has to show anything, nothing that is shown is right: whoever shows a token means another port. */
export const auth: Doing = {
  kind: "awaited",
  async run(request, { access, counters }, client, peer) {
    if (access === undefined) return AUTH_FAILED;
    const found = await access.authenticate(request as AuthRequest, peer.source);
    if (!("ok" in found)) {
      client.entry = found;
      client.shown.add(found);
      client.name = found.name;
      client.failures = 0;
      peer.know();
      return OK;
    }
    if (found.code < 500) {
      client.failures++;
      counters.authFailures++;
    }
    return found;
  },
  isLast: ({ failures }) => failures >= MAX_AUTH_FAILURES,
};

/** USE. */
export const use: Doing = {
  kind: "local",
  run(request, _services, client) {
    const { namespace } = request as unknown as UseRequest;
    const path = resolveBase("", namespace);
    if (!(path instanceof Uint8Array)) return { ...path, field: "namespace" };
    client.use = namespace === "" ? "" : pathText(path);
    return OK;
  },
};
