import { firstDifference } from "../document/compare.ts";
import { mapping, UnsignedInteger, type Leaf, type Mapping, type Node } from "../document/model.ts";
import { hasNodeAt, nodeAt, withNodeAt, withoutNodeAt, type TreePath } from "../document/path.ts";
import { typeOfScalar } from "../document/cell.ts";
import { isReservedKey } from "../metadata/place.ts";
import type { Context, FormatChoice } from "./context.ts";
import { documentAt } from "./decrypt.ts";
import { alreadyEncrypted } from "./encrypt.ts";
import { loadFile, openFile, type OpenedFile } from "./encrypted-file.ts";
import { refuseShadowedGroups } from "./guard.ts";
import { reseal } from "./reseal.ts";

/** Options of `set` and `unset`. */
export interface SetOptions extends FormatChoice {
  readonly context: Context;
  readonly ignoreMac: boolean;
  /** Number of the document, from 0. */
  readonly document?: number;
  /** Do nothing, instead of writing the file anew or failing, if it is as wanted already. */
  readonly idempotent: boolean;
}

/**
 * Sets one value of an encrypted file. Whether it is encrypted follows from the selection stored in the file.
 *
 * @returns undefined if nothing had to change
 * @throws {SopsError} ERR_PATH for a path that does not fit the tree, and what `decrypt` throws
 */
export function set(
  bytes: Uint8Array,
  path: TreePath,
  value: Node,
  options: SetOptions,
): Promise<Uint8Array | undefined> {
  return change(bytes, options, (document) => {
    refuseReserved(path, options);
    if (options.idempotent && hasNodeAt(document, path) && isSame(nodeAt(document, path), value)) return document;
    return withNodeAt(document, path, value);
  });
}

/**
 * Removes one entry or item of an encrypted file.
 *
 * @returns undefined if nothing had to change
 * @throws {SopsError} ERR_PATH_NOT_FOUND if nothing stands there, and what `decrypt` throws
 */
export function unset(bytes: Uint8Array, path: TreePath, options: SetOptions): Promise<Uint8Array | undefined> {
  return change(bytes, options, (document) =>
    options.idempotent && !hasNodeAt(document, path) ? document : withoutNodeAt(document, path),
  );
}

async function change(
  bytes: Uint8Array,
  options: SetOptions,
  edit: (document: Mapping) => Mapping,
): Promise<Uint8Array | undefined> {
  const file = loadFile(bytes, options.input, options.context);
  refuseShadowedGroups(file.metadata);
  const opened = await openFile(file, options.context, { ...options, remembersCells: true });
  opened.keyBytes.fill(0);
  const index = options.document ?? 0;
  const document = documentAt(opened.plain, index);
  const edited = edit(document);
  if (edited === document) return undefined;
  const after = opened.plain.with(index, edited);
  await options.context.record?.("encrypt");
  const result = reseal(resealInput(opened, after), options);
  const { metadata, plain: before } = opened;
  await options.context.review?.({ format: options.output.name, metadata, before, after, wrapsAnew: false });
  return result;
}

function resealInput(opened: OpenedFile, plain: readonly Mapping[]): Parameters<typeof reseal>[0] {
  return { ...opened, plain, before: opened.source.documents };
}

function refuseReserved(path: TreePath, { output }: FormatChoice): void {
  const [first] = path;
  if (first?.kind === "key" && isReservedKey(first.key, output.metadataPlace)) throw alreadyEncrypted();
}

/** Whether two nodes have the same values of the same types. */
function isSame(a: Node, b: Node): boolean {
  if (a.kind === "leaf" && b.kind === "leaf" && typeOf(a) !== typeOf(b)) return false;
  const wrap = (value: Node): Mapping => mapping([{ kind: "entry", key: "value", value }]);
  return firstDifference([wrap(a)], [wrap(b)], { withComments: false }) === undefined;
}

function typeOf({ value }: Leaf): string {
  return value === null || value instanceof UnsignedInteger ? "" : typeOfScalar(value);
}
