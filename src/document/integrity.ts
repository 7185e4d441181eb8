import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { encodeUtf8 } from "../bytes/utf8.ts";
import { Timestamp, type Comment, type Entry, type Leaf, type Mapping, type Node } from "./model.ts";
import { floatText } from "../go/float.ts";

/** What the key is derived for; a later form gets another name, and another beginning of its text. */
const PURPOSE = "leafcrypt sops.integrity v1";
const PREFIX = "v1:";

type Hmac = ReturnType<typeof createHmac>;

/** A name and what it stands for, in the order in which both are hashed. */
export type Facts = readonly (readonly [name: string, value: string])[];

/**
 * The second authenticator of a file (docs/integrity.md): HMAC-SHA-256 over its trees as they are stored, cells and all,
 * and over what its metadata say about who opens it and what is encrypted.
 *
 * The MAC of the format joins values without names or lengths, and covers no metadata; here each part has its length in
 * front, so that two different files never give the same bytes.
 *
 * @param keyBytes - the data key, 32 bytes, from which a key of its own is derived
 * @param documents - the stored trees without their metadata
 * @returns `v1:` and 44 characters of base64
 */
export function integrityOf(keyBytes: Uint8Array, documents: readonly Mapping[], facts: Facts): string {
  const key = Buffer.from(hkdfSync("sha256", keyBytes, "", PURPOSE, 32));
  const hmac = createHmac("sha256", key);
  key.fill(0);
  add(hmac, "file", String(facts.length));
  for (const [name, value] of facts) {
    add(hmac, "name", name);
    add(hmac, "fact", value);
  }
  add(hmac, "documents", String(documents.length));
  for (const document of documents) addNode(hmac, document);
  return PREFIX + hmac.digest("base64");
}

/** Compares two of them without telling by time how far they agree. */
export function isSameIntegrity(a: string, b: string): boolean {
  const [left, right] = [encodeUtf8(a), encodeUtf8(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Each part: what it is, the number of its bytes, and these. */
function add(hmac: Hmac, what: string, content: string | Uint8Array): void {
  const bytes = typeof content === "string" ? encodeUtf8(content) : content;
  hmac.update(`${what} ${String(bytes.length)}:`).update(bytes);
}

/** One call per level: two thousand levels fit on the stack, as in the walk. */
function addNode(hmac: Hmac, node: Entry | Node | Comment): void {
  switch (node.kind) {
    case "leaf":
      addLeaf(hmac, node);
      break;
    case "comment":
      add(hmac, "comment", node.text);
      break;
    case "entry":
      add(hmac, "key", node.key);
      addNode(hmac, node.value);
      break;
    case "mapping":
    case "sequence":
      add(hmac, node.kind, String(node.items.length));
      for (const item of node.items) addNode(hmac, item);
  }
}

function addLeaf(hmac: Hmac, { value }: Leaf): void {
  if (value === null) add(hmac, "null", "");
  // Bytes that are text, such as a long cell, are the same as that text.
  else if (typeof value === "string" || value instanceof Uint8Array) add(hmac, "str", value);
  else if (typeof value === "bigint") add(hmac, "int", String(value));
  else if (typeof value === "number") add(hmac, "float", floatText(value));
  else if (typeof value === "boolean") add(hmac, "bool", String(value));
  else if (value instanceof Timestamp) add(hmac, "time", value.text);
  else add(hmac, "uint", value.text);
}
