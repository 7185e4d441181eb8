import type { Announce } from "./failures.ts";
import { succeeds, type FileStatus, type FileSystem } from "./file-system.ts";

/** Refusals of a change of owner or mode that mean "not here" or "not you", not that the disk is failing. */
const NOT_PERMITTED = ["EPERM", "EACCES", "EINVAL", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EOVERFLOW"] as const;

const SET_ID_BITS = 0o6000;

/**
 * Gives a new file the owner, group and mode of the one it replaces, as far as we may.
 *
 * Where the group cannot be kept, the new one gets no more than everybody: a file of ours must never become readable
 * to people who could not read it before. Extended attributes and access lists are out of Node's reach.
 *
 * @param old - the file replaced; null for a new one, which belongs to whoever made it
 * @param mode - permission bits to set; undefined leaves those the file was made with
 */
export function applyPermissions(
  fd: number,
  old: FileStatus | null,
  mode: number | undefined,
  files: FileSystem,
  announce?: Announce,
): void {
  const kept = old === null || keepOwner(fd, old, files);
  if (mode === undefined) return;
  const allowed = kept ? mode : withoutGroup(mode);
  const set = permitted(() => {
    files.chmod(fd, allowed);
  });
  if (!set || allowed !== mode) announce?.("The permissions of the file could not be kept; the new ones are narrower.");
}

/** Returns whether the group is the old one. */
function keepOwner(fd: number, old: FileStatus, files: FileSystem): boolean {
  const made = files.fstat(fd);
  if (made.uid === old.uid && made.gid === old.gid) return true;
  const [uid, gid] = [Number(old.uid), Number(old.gid)];
  // Only root may give a file away; its owner may still choose among his own groups.
  return (
    permitted(() => {
      files.chown(fd, uid, gid);
    }) ||
    permitted(() => {
      files.chown(fd, Number(made.uid), gid);
    })
  );
}

/** The group's bits cut down to those of everybody else, and no set-id bits under another identity. */
function withoutGroup(mode: number): number {
  const others = (mode & 0o007) << 3;
  return mode & ~SET_ID_BITS & (0o707 | others);
}

function permitted(change: () => void): boolean {
  return succeeds(change, ...NOT_PERMITTED);
}
