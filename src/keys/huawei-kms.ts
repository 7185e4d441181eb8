import { KeyError } from "../errors.ts";
import type { KeyBackend, MasterKey } from "./backend.ts";
import { isMapping, memberText, quoted, requiredText, splitList } from "./fields.ts";

/**
 * Keys of HuaweiCloud KMS: read, compared and kept in the metadata. There is no client for that service here; a key
 * service that has one, such as the reference's, wraps and unwraps for us.
 */
export const huaweiKms: KeyBackend = {
  type: "hckms",
  title: "HuaweiCloud KMS",
  names: { rule: "hckms", group: "hckms", flag: "hckms", env: "SOPS_HUAWEICLOUD_KMS_IDS" },
  dated: true,
  parse: (text) => splitList(text).map(masterKey),
  fromGroupEntry: (item) => [masterKey(typeof item === "string" ? item : groupKeyId(item))],
  fromRecord: (record) => masterKey(requiredText(record, "key_id")),
};

function groupKeyId(item: unknown): string {
  if (!isMapping(item)) throw new KeyError("an hckms key of a key group is a key id, or a mapping with key_id");
  return memberText(item, "key_id");
}

/** @param text - `region:uuid` */
function masterKey(text: string): MasterKey {
  const id = text.trim();
  const colon = id.indexOf(":");
  if (colon < 0) throw new KeyError(`invalid key ID format: expected 'region:key-uuid', got ${quoted(id)}`);
  if (colon === 0) throw new KeyError(`region cannot be empty in key ID: ${quoted(id)}`);
  if (colon === id.length - 1) throw new KeyError(`key UUID cannot be empty in key ID: ${quoted(id)}`);
  return {
    type: "hckms",
    id,
    wrap: () => Promise.reject(unavailable("encrypt")),
    unwrap: () => Promise.reject(unavailable("decrypt")),
    toRecord: () => ({ key_id: id }),
  };
}

function unavailable(verb: "encrypt" | "decrypt"): KeyError {
  return new KeyError(
    `failed to ${verb} sops data key with HuaweiCloud KMS: this program has no client for it; ` +
      "name a key service that has one with --keyservice",
  );
}
