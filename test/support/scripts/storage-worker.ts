// A process that uses the storage, for tests that need more than one, or another user, umask or limit.
import { readFileSync } from "node:fs";
import { SopsError } from "../../../src/errors.ts";
import { replaceFile } from "../../../src/storage/atomic.ts";
import { createCleanup, installCleanup, type Cleanup } from "../../../src/storage/cleanup.ts";
import { nodeFileSystem } from "../../../src/storage/file-system.ts";
import { withFileLock } from "../../../src/storage/locks.ts";
import { createOutput, isClosedPipe, writeStdout } from "../../../src/storage/output.ts";
import { readInput, readStdin } from "../../../src/storage/read.ts";
import { createTemporary } from "../../../src/storage/siblings.ts";
import { createPrivateFolder } from "../../../src/storage/temporary.ts";

const announce = (message: string, fields: Readonly<Record<string, string>> = {}): void => {
  console.error(message, fields["copy"] ?? "");
};

const forever = (): Promise<never> =>
  new Promise(() => {
    setInterval(() => undefined, 60_000);
  });

type Job = (cleanup: Cleanup, ...parameters: string[]) => void | Promise<void>;

const jobs: Readonly<Record<string, Job>> = {
  /** Adds one to the number in the file. */
  increment: (cleanup, path = "") =>
    withFileLock(path, { cleanup }, () => {
      const { bytes, identity } = readInput(path);
      replaceFile(path, Buffer.from(String(Number(Buffer.from(bytes).toString()) + 1)), { identity });
      return Promise.resolve();
    }),
  /** Takes the lock and keeps it, with a temporary file half written. */
  hold: (cleanup, path = "") =>
    withFileLock(path, { cleanup }, () => {
      createTemporary(path, 0o600, nodeFileSystem);
      console.log("held");
      return forever();
    }),
  replace(_cleanup, path = "", size = "", readOnly = "refuse", recoveryFolder = "") {
    const place = recoveryFolder === "" ? {} : { recoveryFolder };
    const options = { announce, readOnly: readOnly as "refuse" | "kernel" | "force", ...place };
    replaceFile(path, Buffer.alloc(Number(size), "n"), options);
  },
  output(_cleanup, path = "", secret = "", umask = "022") {
    process.umask(Number.parseInt(umask, 8));
    createOutput(path, Buffer.from("new"), { secret: secret === "secret", announce });
  },
  stdout(_cleanup, size = "") {
    writeStdout(Buffer.alloc(Number(size), "n"));
    process.exit(0);
  },
  stdin() {
    console.log(readStdin().length);
  },
  /** Makes a private folder with a file, prints its path, and waits to be ended. */
  async private(cleanup, umask = "022") {
    process.umask(Number.parseInt(umask, 8));
    const folder = createPrivateFolder({ env: process.env, cleanup });
    console.log(folder.write("secret.yaml", readFileSync(0)));
    await forever();
  },
};

const cleanup = createCleanup();
installCleanup(process, cleanup);
try {
  const [job = "", ...parameters] = process.argv.slice(2);
  await jobs[job]?.(cleanup, ...parameters);
} catch (error) {
  if (!(error instanceof SopsError)) throw error;
  console.error(`${error.code}: ${error.message}`);
  process.exitCode = isClosedPipe(error) ? 141 : 3;
}
