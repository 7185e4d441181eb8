import { dirname, isAbsolute } from "node:path";
import { isErrno, type FileSystem } from "./file-system.ts";

/** As many links as Linux follows in one look-up. */
const MAX_LINKS = 40;

/**
 * Follows the symbolic links at the end of a path to the name that a rename has to replace; a link that leads nowhere
 * yields the name it would have. Folders on the way are left to the kernel: `..` behind a link is not ours to simplify.
 */
export function resolveLinks(path: string, files: FileSystem): string {
  let current = path;
  for (let followed = 0; followed < MAX_LINKS; followed++) {
    const next = linkAt(current, files);
    if (next === null) return current;
    current = isAbsolute(next) ? next : `${dirname(current)}/${next}`;
  }
  files.stat(path); // A loop: the kernel finds the words for it.
  return current;
}

function linkAt(path: string, files: FileSystem): string | null {
  try {
    return files.lstat(path).isSymbolicLink() ? files.readlink(path) : null;
  } catch (error) {
    if (isErrno(error, "ENOENT")) return null;
    throw error;
  }
}
