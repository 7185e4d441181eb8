import { createHash, timingSafeEqual, type KeyObject } from "node:crypto";
import { IV_LENGTH } from "../bytes/aes-gcm.ts";
import { decodeBase64 } from "../bytes/base64.ts";
import { asBuffer, encodeUtf8 } from "../bytes/utf8.ts";
import { ValueError } from "../errors.ts";
import type { CellMemory } from "./cell-memory.ts";
import {
  openCell,
  scalarFromBytes,
  scalarToBytes,
  sealBytes,
  sealCell,
  typeOfScalar,
  type CellFailure,
  type CellType,
} from "./cell.ts";
import { UnsignedInteger, type Comment, type Leaf, type Mapping, type Scalar } from "./model.ts";
import type { Selection } from "./selection.ts";
import { LONG_VALUE } from "./long-cell.ts";
import { keysOf, mapTrees, type Place, type Visitor } from "./walk.ts";

/** SHA-256 of the word `sops`: what the MAC starts with under `mac_only_encrypted` (file-format.md 4). */
const MAC_ONLY_ENCRYPTED_SEED = Buffer.from("8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69", "hex");

const TOO_LARGE = "the integer does not fit 64 bits";
const NO_BYTES = new Uint8Array(0);

/** The part of a file's metadata that rules its tree. */
export interface TreeOptions {
  readonly dataKey: KeyObject;
  readonly selection: Selection;
  readonly macOnlyEncrypted: boolean;
}

/** Options of `seal`. */
export interface SealOptions extends TreeOptions {
  readonly randomBytes: (size: number) => Uint8Array;
  /** Cells of the file as it was opened: values that did not change keep theirs. */
  readonly memory?: CellMemory;
  /** Whether long cells are made as bytes, for a format that can hold these (binary). */
  readonly longInBytes?: boolean;
  /** Whether a float's own digits go into its cell (layout `keep`) instead of the canonical ones. */
  readonly keepDigits?: boolean;
}

/** Trees and the MAC over their plaintext, 128 upper-case hexadecimal digits. */
export interface TreeResult {
  readonly documents: readonly Mapping[];
  readonly mac: string;
  /** Number of values that are encrypted; null and the empty string never are. */
  readonly encrypted: number;
  /** Number of values that are not, other than null and the empty string. */
  readonly clear: number;
}

/** Options of `open`. */
export interface OpenOptions extends TreeOptions {
  /** Gets every cell that was opened, for those who seal again; to decrypt there is no need to remember. */
  readonly memory?: CellMemory;
}

/** What `open` found. */
export interface OpenResult extends TreeResult {
  /** Comments that a rule says should be encrypted but which do not decrypt; they were left as they are. */
  readonly clearComments: readonly (readonly string[])[];
}

/** What a value becomes, and the bytes of its plaintext, which are hashed. */
interface Crypted {
  readonly out: Leaf;
  readonly plain: Uint8Array;
}

/** How values are handled in one direction; the walk and the MAC rule are the same for both. */
interface Crypt {
  leaf(leaf: Leaf, place: Place): Crypted;
  comment(comment: Comment, place: Place): Comment;
  readonly direction: "encrypt" | "decrypt";
}

function transformTrees(documents: readonly Mapping[], options: TreeOptions, crypt: Crypt): TreeResult {
  const mac = createHash("sha512");
  if (options.macOnlyEncrypted) mac.update(MAC_ONLY_ENCRYPTED_SEED);
  let encrypted = 0;
  let clear = 0;
  const visitor: Visitor = {
    hasCommentItems: crypt.direction === "decrypt",
    leaf(leaf, place) {
      if (leaf.value === null) return leaf;
      if (!place.isSelected) {
        if (!options.macOnlyEncrypted) mac.update(bytesOf(leaf.value, place, crypt.direction));
        if (leaf.value !== "") clear += 1;
        return leaf;
      }
      const { out, plain } = crypt.leaf(leaf, place);
      mac.update(plain);
      if (leaf.value !== "") encrypted += 1;
      return out;
    },
    comment: (comment, place) => (place.isSelected ? crypt.comment(comment, place) : comment), // never in the MAC
    nonStringKey: (place: Place) => {
      throw new ValueError(crypt.direction, keysOf(place), "Tree contains a non-string key", {
        hint: "put the key in quotes",
      });
    },
  };
  const result = mapTrees(documents, options.selection, visitor);
  return { documents: result, mac: mac.digest("hex").toUpperCase(), encrypted, clear };
}

/** The bytes of a value that the MAC is made of, and a cell. */
function bytesOf(value: Scalar | UnsignedInteger, place: Place, direction: Crypt["direction"]): Uint8Array {
  const bytes = scalarToBytes(value);
  if (bytes === undefined) throw new ValueError(direction, keysOf(place), TOO_LARGE);
  return bytes;
}

/**
 * Encrypts what the selection selects.
 *
 * @throws {ValueError} for a value that no cell can hold, or a key that is no string
 */
export function seal(documents: readonly Mapping[], options: SealOptions): TreeResult {
  return transformTrees(documents, options, {
    direction: "encrypt",
    leaf(leaf, place) {
      const { value } = leaf;
      if (value === null || value instanceof UnsignedInteger) throw new ValueError("encrypt", keysOf(place), TOO_LARGE);
      const plain = bytesOf(value, place, "encrypt");
      const origin = options.memory?.dataKey === options.dataKey ? options.memory.originOf(leaf, place.aad) : undefined;
      if (origin !== undefined) return { plain, out: origin };
      const keepsDigits = options.keepDigits === true && leaf.text !== undefined;
      const content = keepsDigits ? encodeUtf8(leaf.text) : plain;
      const type = typeOfScalar(value);
      const isLong = options.longInBytes === true && content.length >= LONG_VALUE;
      const seal = isLong ? longCellFor : cellFor;
      return { plain, out: withValue(leaf, { value: seal(content, type, place.aad, options) }) };
    },
    comment(comment, place) {
      const text = cellFor(encodeUtf8(comment.text), "comment", place.aad, options);
      const { selection } = options;
      if (selection.by === "comment" && !selection.hitMeansEncrypted && selection.hits(text)) {
        // Read back, the cell would count as a match and leave itself and its neighbours undecrypted.
        throw new ValueError("encrypt", keysOf(place), "an encrypted comment matches unencrypted_comment_regex", {
          hint: "use a pattern that no base64 text matches",
        });
      }
      return { ...comment, text };
    },
  });
}

function longCellFor(plain: Uint8Array, type: CellType, aad: string, options: SealOptions): Uint8Array {
  return sealBytes(options.dataKey, options.randomBytes(IV_LENGTH), aad, plain, type);
}

function cellFor(plain: Uint8Array, type: CellType, aad: string, options: SealOptions): string {
  if (plain.length === 0) return "";
  const { dataKey, memory, randomBytes } = options;
  const known = memory?.take(plain, type, aad);
  if (known !== undefined && memory?.dataKey === dataKey) return known.text;
  const iv = known === undefined ? undefined : decodeBase64(known.iv);
  return sealCell(dataKey, iv ?? randomBytes(IV_LENGTH), aad, plain, type);
}

/**
 * Decrypts what the selection says is encrypted.
 *
 * Comments that do not decrypt are kept: sops 1.x and 2.x never encrypted them, and people add them by hand.
 *
 * @throws {ValueError} at the first value that does not decrypt
 */
export function open(documents: readonly Mapping[], options: OpenOptions): OpenResult {
  const { dataKey, memory } = options;
  const clearComments: string[][] = [];
  const result = transformTrees(documents, options, {
    direction: "decrypt",
    leaf: (leaf, place) => openLeaf(leaf, place, options),
    comment(comment, place) {
      if (comment.text === "") return comment;
      const cell = openCell(dataKey, comment.text, place.aad);
      if (typeof cell === "string" || (cell.type !== "comment" && cell.type !== "str")) {
        clearComments.push(keysOf(place));
        return comment;
      }
      memory?.put({ plain: cell.plain, type: "comment", aad: place.aad, iv: cell.iv, text: comment.text });
      // The reference forgets that a comment was inline; a writer that keeps the text goes by its span.
      return { ...comment, inline: false, text: cell.plain.toString("utf8") };
    },
  });
  return { ...result, clearComments };
}

function openLeaf(leaf: Leaf, place: Place, { dataKey, memory }: OpenOptions): Crypted {
  const { value } = leaf;
  if (value === "") return { out: leaf, plain: NO_BYTES };
  if (value instanceof Uint8Array) return openBytes(leaf, asBuffer(value), place, dataKey);
  if (typeof value !== "string") {
    throw new ValueError("decrypt", keysOf(place), "expected an encrypted value, found one that is not a string");
  }
  const cell = openCell(dataKey, value, place.aad);
  if (typeof cell === "string") throw new ValueError("decrypt", keysOf(place), failureText(cell));
  const { type, plain, iv } = cell;
  if (type === "comment")
    throw new ValueError("decrypt", keysOf(place), "an encrypted comment stands where a value belongs");
  const opened = scalarFromBytes(type, plain);
  if (opened === undefined) throw new ValueError("decrypt", keysOf(place), `the value is not readable as type ${type}`);
  memory?.put({ plain, type, aad: place.aad, iv, text: value });
  // Other types have more than one text; the canonical one is hashed.
  const hashed = type === "str" || opened.value === null ? plain : bytesOf(opened.value, place, "decrypt");
  const out = withValue(leaf, opened);
  // What is not canonical, or stands in a block scalar with its line break, is written anew.
  if (memory !== undefined && value.endsWith("]") && asBuffer(hashed).equals(plain)) memory.link(out, leaf, place.aad);
  return { out, plain: hashed };
}

/** A long value stays bytes as its cell does; it gets a new cell when it is sealed again. */
function openBytes(leaf: Leaf, value: Buffer, place: Place, dataKey: KeyObject): Crypted {
  const cell = openCell(dataKey, value, place.aad);
  if (typeof cell === "string") throw new ValueError("decrypt", keysOf(place), failureText(cell));
  if (cell.type !== "str") throw new ValueError("decrypt", keysOf(place), `bytes of the type ${cell.type}`);
  return { out: withValue(leaf, { value: cell.plain }), plain: cell.plain };
}

function failureText(failure: CellFailure): string {
  return failure === "not a cell"
    ? "the value is not encrypted but should be"
    : `the encrypted value does not open: ${failure}`;
}

function withValue(leaf: Leaf, content: Pick<Leaf, "value" | "text">): Leaf {
  return leaf.span === undefined ? { kind: "leaf", ...content } : { kind: "leaf", ...content, span: leaf.span };
}

/** Compares two MACs without telling by time how far they agree. */
export function isSameMac(a: string, b: string): boolean {
  const left = encodeUtf8(a);
  const right = encodeUtf8(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
