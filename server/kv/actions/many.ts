/**
 * The actions about many values at a time.
 *
 * @module
 */

import {
  getManyQuestion,
  resolvePath,
  type SetItem,
  setManyCommand,
  textOfValue,
} from "../../../cluster/machine/kv/mod.ts";
import type { Failure } from "../../../cluster/machine/mod.ts";
import { type GetManyRequest, type SetManyRequest, ttlOf } from "../../../protocol/kv/mod.ts";
import type { Doing, Several } from "../action.ts";

/** MGET. */
export const getMany: Doing = {
  kind: "several",
  make(request, use): Several | Failure {
    const { keys, namespace } = request as unknown as GetManyRequest;
    const paths: Uint8Array[] = [];
    for (const key of keys) {
      const path = resolvePath(key, namespace, use);
      if (!(path instanceof Uint8Array)) return within("keys", path);
      paths.push(path);
    }
    const nodes = paths.map((path) => ({ path, touch: "reads" as const }));
    return { kind: "question", bytes: getManyQuestion(paths), nodes };
  },
};

/** MSET. */
export const setMany: Doing = {
  kind: "several",
  make(request, use): Several | Failure {
    const { items: asked, namespace } = request as unknown as SetManyRequest;
    const items: SetItem[] = [];
    for (const item of asked) {
      const path = resolvePath(item.key, namespace, use);
      if (!(path instanceof Uint8Array)) return within("items", path);
      const text = textOfValue(item.value);
      if (!(text instanceof Uint8Array)) return within("items", text);
      items.push({ path, text, ttlMs: ttlOf(item) });
    }
    const nodes = items.map(({ path }) => ({ path, touch: "changes" as const }));
    return { kind: "command", bytes: setManyCommand(items), nodes };
  },
};

/** A failure of a part of a member, told by that member; what is wrong with the namespace is told by its own. */
export function within(member: string, failure: Failure): Failure {
  return failure.field === "namespace" ? failure : { ...failure, field: member };
}
