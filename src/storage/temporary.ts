import { randomBytes } from "node:crypto";
import { SopsError } from "../errors.ts";
import type { Cleanup } from "./cleanup.ts";
import { explaining, showPath } from "./failures.ts";
import {
  closeQuietly,
  isErrno,
  nodeFileSystem,
  openFlags,
  succeeds,
  writeAll,
  type FileSystem,
} from "./file-system.ts";
import { livenessOf, ownIdentity, type ProcessIdentity } from "./process-identity.ts";

/** Where and for how long a private folder is made. */
export interface PrivateFolderOptions {
  /** Says where temporary files go: `XDG_RUNTIME_DIR`, `TMPDIR`, `TMP`, `TEMP`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Gets the task that removes the folder, for the ends of the process that pass no `finally`. */
  readonly cleanup: Cleanup;
  /** About how many bytes it will hold, so that no memory too small for them is chosen. */
  readonly expectedBytes?: number;
  /**
   * `reference`: where and as sops names such folders, in the temporary folder and with a number; `private` (default):
   * in memory, where there is any.
   */
  readonly style?: "private" | "reference";
  /** What goes before the number of a folder in the style of sops. */
  readonly prefix?: string;
}

/** A folder only this user can enter, for plaintext that other programs have to see. */
export interface PrivateFolder {
  readonly path: string;
  /**
   * Makes a file (0600) in the folder and returns its path.
   *
   * @throws {SopsError} ERR_USAGE for a name that is more than a name, ERR_WRITE if it cannot be written
   */
  write(name: string, bytes: Uint8Array): string;
  /** Removes the folder with all that editors and other programs left in it. A second time does nothing. */
  remove(): void;
  /** Gives the folder up to the user, whose text it holds: it stays, under the path returned. */
  keep(): string;
}

/**
 * Makes a private folder (0700): in memory where there is any (`$XDG_RUNTIME_DIR`, `/dev/shm`), else in the system's
 * temporary folder. Folders that killed runs left in the same place are removed on the way.
 *
 * @throws {SopsError} ERR_WRITE if none can be made
 */
export function createPrivateFolder(options: PrivateFolderOptions, files: FileSystem = nodeFileSystem): PrivateFolder {
  const { env, style = "private", prefix = "", expectedBytes = 0 } = options;
  const owner = ownIdentity(files);
  const memory = style === "private" ? memoryBases(env) : [];
  const bases = [...memory.filter((base) => isFitMemory(base, expectedBytes, files)), temporaryBase(env)];
  for (const base of bases) removeLeftovers(base.path, files);
  const name = style === "private" ? privateName(owner) : prefix + numberedName(owner);
  return privateFolder(makeIn(bases, name, files), options.cleanup, files);
}

/**
 * Runs `use` with a private folder, which is gone when the promise settles, unless `keep` was called.
 *
 * @throws {SopsError} ERR_WRITE if no folder can be made; and what `use` throws
 */
export async function withPrivateFolder<T>(
  options: PrivateFolderOptions,
  use: (folder: PrivateFolder) => Promise<T>,
  files: FileSystem = nodeFileSystem,
): Promise<T> {
  const folder = createPrivateFolder(options, files);
  try {
    return await use(folder);
  } finally {
    folder.remove();
  }
}

/** A place for private folders. */
interface Base {
  readonly path: string;
  /** Whether other users can make files there too, and only its sticky bit keeps them from renaming ours. */
  readonly shared: boolean;
}

function memoryBases(env: PrivateFolderOptions["env"]): Base[] {
  const runtime = env["XDG_RUNTIME_DIR"];
  const own = runtime?.startsWith("/") ? [{ path: runtime, shared: false }] : [];
  return [...own, { path: "/dev/shm", shared: true }];
}

function temporaryBase(env: PrivateFolderOptions["env"]): Base {
  const named = process.platform === "win32" ? (env["TEMP"] ?? env["TMP"]) : env["TMPDIR"];
  const usual = process.platform === "win32" ? "C:\\Windows\\Temp" : "/tmp";
  return { path: named === undefined || named === "" ? usual : named, shared: true };
}

/** The magic numbers of tmpfs and ramfs, see statfs(2). */
const MEMORY_FILE_SYSTEMS: ReadonlySet<number> = new Set([0x01021994, 0x858458f6]);

/** Room left for what editors keep beside the file. */
const SPARE_BYTES = 1024 * 1024;

function isFitMemory({ path, shared }: Base, expectedBytes: number, files: FileSystem): boolean {
  try {
    const status = files.lstat(path);
    if (!status.isDirectory()) return false;
    const uid = process.getuid?.();
    const ownedByUs = uid !== undefined && status.uid === BigInt(uid);
    const safe = shared
      ? (status.mode & 0o1000n) !== 0n && status.uid === 0n
      : ownedByUs && (status.mode & 0o077n) === 0n;
    const { type, free } = files.volume(path);
    return safe && MEMORY_FILE_SYSTEMS.has(type) && free >= 3 * expectedBytes + SPARE_BYTES;
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENOSYS")) return false;
    throw error;
  }
}

const PREFIX = "leafcrypt-";

/** `leafcrypt-PID-START-SCOPE-RANDOM`: says whose it is, for the run that finds it left behind. */
const FOLDER_NAME = /^leafcrypt-(?<pid>\d{1,10})-(?<start>\d*)-(?<scope>[0-9a-f]{8})-[0-9a-f]{16}$/;

/** The same as one number, behind what sops puts before it: PID, START, SCOPE and RANDOM with 10, 20, 10, 20 digits. */
const NUMBERED_NAME = /^(?:\.sops)?(?<pid>\d{10})(?<start>\d{20})(?<scope>\d{10})\d{20}$/;

function privateName({ pid, start, scope }: ProcessIdentity): string {
  return `${PREFIX}${String(pid)}-${start}-${scope}-${randomBytes(8).toString("hex")}`;
}

function numberedName({ pid, start, scope }: ProcessIdentity): string {
  const parts = [String(pid), start, String(parseInt(scope, 16)), String(randomBytes(8).readBigUInt64BE())];
  return [10, 20, 10, 20].map((width, index) => (parts[index] ?? "").padStart(width, "0")).join("");
}

/** Whose folder a name says it is; null if it is none of ours. */
function ownerOf(name: string): ProcessIdentity | null {
  const named = FOLDER_NAME.exec(name)?.groups;
  const { pid, start, scope } = named ?? NUMBERED_NAME.exec(name)?.groups ?? {};
  if (pid === undefined || start === undefined || scope === undefined) return null;
  if (named !== undefined) return { pid: Number(pid), start, scope };
  return {
    pid: Number(pid),
    start: start.replace(/^0+/, ""),
    scope: Number(scope).toString(16).padStart(8, "0"),
  };
}

function makeIn(bases: readonly Base[], name: string, files: FileSystem): string {
  const [base, ...others] = bases as [Base, ...Base[]];
  const path = `${base.path}/${name}`;
  try {
    return explaining(
      "ERR_WRITE",
      () => "Could not create temporary folder",
      path,
      () => {
        files.makeFolder(path, 0o700);
        files.chmodFolder(path, 0o700); // The umask may have taken our own rights, too.
        return path;
      },
    );
  } catch (error) {
    if (others.length === 0 || !(error instanceof SopsError)) throw error;
    return makeIn(others, name, files);
  }
}

function privateFolder(path: string, cleanup: Cleanup, files: FileSystem): PrivateFolder {
  let present = true;
  const removeIt = (): void => {
    if (!present) return;
    present = false;
    files.removeFolder(path);
  };
  const settled = cleanup.add(removeIt);
  return {
    path,
    write: (name, bytes) => writePrivate(path, name, bytes, files),
    remove() {
      settled();
      explaining("ERR_WRITE", () => "Could not remove temporary folder", path, removeIt);
    },
    keep() {
      settled();
      if (!present) return path;
      present = false;
      return rename(path, files);
    },
  };
}

/** A name that `removeLeftovers` passes by. Should the rename fail, the text is still safe until the next run. */
function rename(path: string, files: FileSystem): string {
  const kept = path.replace(/[^/]*$/, `${PREFIX}kept-${randomBytes(8).toString("hex")}`);
  const renamed = succeeds(() => {
    files.rename(path, kept);
  });
  return renamed ? kept : path;
}

function writePrivate(folder: string, name: string, bytes: Uint8Array, files: FileSystem): string {
  if (name === "" || name === "." || name === ".." || /[/\\\0]/.test(name)) {
    throw new SopsError("ERR_USAGE", `${showPath(name)} is not a file name without a folder`);
  }
  const path = `${folder}/${name}`;
  return explaining(
    "ERR_WRITE",
    () => "Could not create temporary file",
    path,
    () => {
      const fd = files.open(path, openFlags.create, 0o600);
      try {
        files.chmod(fd, 0o600); // Whatever the umask took.
        writeAll(fd, bytes, files, 0);
      } finally {
        closeQuietly(fd, files);
      }
      return path;
    },
  );
}

/** Removes the private folders of processes of this user that are gone. What cannot be looked at is left alone. */
function removeLeftovers(base: string, files: FileSystem): void {
  succeeds(() => {
    for (const name of files.list(base)) {
      const owner = ownerOf(name);
      if (owner === null) continue;
      const path = `${base}/${name}`;
      if (livenessOf(owner, files) === "gone" && isOwnFolder(path, files)) {
        files.removeFolder(path);
      }
    }
  });
}

function isOwnFolder(path: string, files: FileSystem): boolean {
  const status = files.lstat(path);
  return status.isDirectory() && status.uid === BigInt(process.getuid?.() ?? Number(status.uid));
}
