import type { KeyObject } from "node:crypto";
import { IV_LENGTH } from "../bytes/aes-gcm.ts";
import { decodedLength } from "../bytes/base64.ts";
import { asBuffer } from "../bytes/utf8.ts";
import type { CellType } from "./cell.ts";
import type { Leaf } from "./model.ts";

/** A cell as it stood in a file that was opened. */
export interface RememberedCell {
  readonly plain: Uint8Array;
  readonly type: CellType;
  readonly aad: string;
  /** In base64. */
  readonly iv: string;
  readonly text: string;
}

/** What a plain leaf was opened from, and under which path. */
interface Origin {
  readonly sealed: Leaf;
  readonly aad: string;
}

/** Equal cells, and how many of them were handed out. */
interface Queue {
  readonly cells: RememberedCell[];
  taken: number;
}

/**
 * The cells of a file that was opened, so that values which did not change keep theirs (file-format.md 2.5).
 *
 * A cell is found by the exact bytes, type and AAD it was made from, never by a value that may compare equal without
 * being the same (-0 and 0): an IV must not meet other bytes under one key. Equal values under one path are handed
 * out in the order they stood in the file.
 */
export class CellMemory {
  /** The key the cells were opened with: only under the same one can a cell be taken as it is. */
  readonly dataKey: KeyObject;
  readonly #cells: RememberedCell[] = [];
  readonly #origins = new Map<Leaf, Origin>();
  #byPath: Map<string, RememberedCell[]> | undefined;
  /** The cells of the paths that were asked for. */
  readonly #queues = new Map<string, Map<string, Queue>>();

  constructor(dataKey: KeyObject) {
    this.dataKey = dataKey;
  }

  put(cell: RememberedCell): void {
    // Other lengths than our own are readable but must not be used to encrypt again.
    if (decodedLength(cell.iv) !== IV_LENGTH) return;
    // What follows the last bracket (the line break of a block scalar) is not the cell.
    const end = cell.text.lastIndexOf("]") + 1;
    this.#cells.push(end === cell.text.length ? cell : { ...cell, text: cell.text.slice(0, end) });
  }

  /** Starts handing out from the beginning, for another attempt to seal. */
  rewind(): void {
    this.#queues.clear();
  }

  /** Notes which leaf a plain one was opened from. Its cell must hold the bytes that it would be made of again. */
  link(plain: Leaf, sealed: Leaf, aad: string): void {
    this.#origins.set(plain, { sealed, aad });
  }

  /** The leaf that this very leaf was opened from: most of a file, when one value is set. */
  originOf(plain: Leaf, aad: string): Leaf | undefined {
    const origin = this.#origins.get(plain);
    return origin?.aad === aad ? origin.sealed : undefined;
  }

  /** The next remembered cell for these bytes; the last one is handed out again and again. */
  take(plain: Uint8Array, type: CellType, aad: string): RememberedCell | undefined {
    const queue = this.#queuesOf(aad).get(keyOf(plain, type));
    if (queue === undefined) return undefined;
    const cell = queue.cells[Math.min(queue.taken, queue.cells.length - 1)];
    queue.taken += 1;
    return cell;
  }

  #queuesOf(aad: string): Map<string, Queue> {
    const known = this.#queues.get(aad);
    if (known !== undefined) return known;
    this.#byPath ??= groupByPath(this.#cells);
    const queues = queuesOf(this.#byPath.get(aad) ?? []);
    this.#queues.set(aad, queues);
    return queues;
  }
}

function groupByPath(cells: readonly RememberedCell[]): Map<string, RememberedCell[]> {
  const groups = new Map<string, RememberedCell[]>();
  for (const cell of cells) {
    const group = groups.get(cell.aad);
    if (group === undefined) groups.set(cell.aad, [cell]);
    else group.push(cell);
  }
  return groups;
}

function queuesOf(cells: readonly RememberedCell[]): Map<string, Queue> {
  const queues = new Map<string, Queue>();
  for (const cell of cells) {
    const key = keyOf(cell.plain, cell.type);
    const queue = queues.get(key);
    if (queue === undefined) queues.set(key, { cells: [cell], taken: 0 });
    else queue.cells.push(cell);
  }
  return queues;
}

function keyOf(plain: Uint8Array, type: CellType): string {
  return `${type}\0${asBuffer(plain).toString("latin1")}`;
}
