import { closeQuietly, isErrno, openFlags, succeeds, type FileSystem } from "./file-system.ts";

/** A folder opened so that its entries can be flushed; null where the system does not let us. */
export type OpenFolder = number | null;

/** Opens a folder for `flushFolder`. Windows has no such thing, and a folder may be writable but not readable. */
export function openFolder(path: string, files: FileSystem): OpenFolder {
  try {
    return files.open(path, openFlags.read);
  } catch (error) {
    if (isErrno(error, "EACCES", "EPERM", "EISDIR")) return null;
    throw error;
  }
}

/** Puts what was renamed into the folder on the disk, where the file system can do that for folders at all. */
export function flushFolder(folder: OpenFolder, files: FileSystem): void {
  if (folder === null) return;
  succeeds(
    () => {
      files.fsync(folder);
    },
    "EINVAL",
    "ENOTSUP",
    "EOPNOTSUPP",
    "ENOSYS",
  );
}

/** Closes it; nothing was written through it, so a failure says nothing. */
export function closeFolder(folder: OpenFolder, files: FileSystem): void {
  if (folder !== null) closeQuietly(folder, files);
}
