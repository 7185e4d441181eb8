import type { KeyObject } from "node:crypto";
import { IV_LENGTH } from "../bytes/aes-gcm.ts";
import { asBuffer } from "../bytes/utf8.ts";
import type { CellType } from "./cell.ts";

/** A cell as it stood in a file that was opened. */
export interface RememberedCell {
  readonly plain: Uint8Array;
  readonly type: CellType;
  readonly aad: string;
  readonly iv: Buffer;
  readonly text: string;
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
  #index: Map<string, Queue> | undefined;

  constructor(dataKey: KeyObject) {
    this.dataKey = dataKey;
  }

  put(cell: RememberedCell): void {
    // Other lengths than our own are readable but must not be used to encrypt again.
    if (cell.iv.length !== IV_LENGTH) return;
    // What follows the last bracket (the line break of a block scalar) is not the cell.
    const end = cell.text.lastIndexOf("]") + 1;
    this.#cells.push(end === cell.text.length ? cell : { ...cell, text: cell.text.slice(0, end) });
  }

  /** Starts handing out from the beginning, for another attempt to seal. */
  rewind(): void {
    for (const queue of this.#index?.values() ?? []) queue.taken = 0;
  }

  /** The next remembered cell for these bytes; the last one is handed out again and again. */
  take(plain: Uint8Array, type: CellType, aad: string): RememberedCell | undefined {
    this.#index ??= buildIndex(this.#cells);
    const queue = this.#index.get(keyOf(plain, type, aad));
    if (queue === undefined) return undefined;
    const cell = queue.cells[Math.min(queue.taken, queue.cells.length - 1)];
    queue.taken += 1;
    return cell;
  }
}

function buildIndex(cells: readonly RememberedCell[]): Map<string, Queue> {
  const index = new Map<string, Queue>();
  for (const cell of cells) {
    const key = keyOf(cell.plain, cell.type, cell.aad);
    const queue = index.get(key);
    if (queue === undefined) index.set(key, { cells: [cell], taken: 0 });
    else queue.cells.push(cell);
  }
  return index;
}

function keyOf(plain: Uint8Array, type: CellType, aad: string): string {
  return `${type}\0${aad}\0${asBuffer(plain).toString("latin1")}`;
}
