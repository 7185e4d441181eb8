import { resolve } from "node:path";
import { fileSize } from "../storage/read.ts";
import { reportError } from "./report.ts";
import { isStandardInput } from "./files.ts";
import type { Session } from "./session.ts";

/** Waits until the files before this one are done, so that results and messages come in the order of the files. */
export type Turn = () => Promise<void>;

/** Work on one FILE, or on standard input where there is none; awaits its turn before it writes anything. */
export type FileWork = (operand: string | undefined, turn: Turn) => Promise<void>;

/** How much is worked on at once: while one file waits for a key service, others are read. Bytes are those of the files. */
const AT_ONCE = { files: 8, bytes: 2 ** 24 } as const;

const NO_WAIT: Turn = () => Promise.resolve();

/**
 * Works on each FILE, or on standard input where there is none. One FILE throws its own error; of several, each failure
 * is reported beside its file's name, the others are still worked on, and the worst status is returned.
 */
export async function forEachFile(session: Session, operands: readonly string[], work: FileWork): Promise<number> {
  const [first, ...others] = session.dialect.takesSeveralFiles ? operands : operands.slice(0, 1);
  if (first === undefined || others.length === 0) {
    await work(first, NO_WAIT);
    return 0;
  }
  const statuses = await workInParallel(session, [first, ...others], work);
  const failed = statuses.filter((status) => status !== 0).length;
  if (failed > 0) {
    const total = String(statuses.length);
    session.terminal.complain(`${session.dialect.program}: ${String(failed)} of ${total} files failed\n`);
  }
  return statuses.reduce((worst, status) => Math.max(worst, status), 0);
}

/** The status of each file. */
async function workInParallel(session: Session, operands: readonly string[], work: FileWork): Promise<number[]> {
  const progress = new Progress(session, operands.length);
  const running = new Map<Promise<void>, FileInWork>();
  const statuses: number[] = [];
  let before = Promise.resolve();
  for (const [index, operand] of operands.entries()) {
    const path = resolve(session.workingDirectory, operand);
    const file = { path, size: fileSize(path) };
    while (mustWait(file, [...running.values()])) await Promise.race(running.keys());
    const turn = before;
    const done = workOnOne(session, operand, work, () => turn).then((status) => {
      statuses[index] = status;
      running.delete(done);
      progress.advance();
    });
    running.set(done, file);
    before = done;
  }
  await before;
  progress.end();
  return statuses;
}

interface FileInWork {
  readonly path: string;
  readonly size: number;
}

/** A file that is named twice is worked on twice, but not at once: the second time would wait for the lock of the first. */
function mustWait(file: FileInWork, running: readonly FileInWork[]): boolean {
  const bytes = running.reduce((sum, { size }) => sum + size, file.size);
  const isFull = running.length >= AT_ONCE.files || (running.length > 0 && bytes > AT_ONCE.bytes);
  return isFull || running.some(({ path }) => path === file.path);
}

async function workOnOne(session: Session, operand: string, work: FileWork, turn: Turn): Promise<number> {
  try {
    await work(operand, turn);
    await turn();
    return 0;
  } catch (error) {
    await turn();
    const subject = isStandardInput(operand) ? "standard input" : operand;
    const { text, status } = reportError(error, session.dialect, session.paint, subject);
    session.terminal.complain(text);
    return status === 0 ? 1 : status;
  }
}

/** Milliseconds before anything is shown, and between two changes. */
const QUIET = { first: 1000, next: 200 } as const;
const CLEAR_LINE = "\r\u001b[K";

/** A line that counts the files, for a person who would have to wait without it. */
class Progress {
  readonly #session: Session;
  readonly #total: number;
  #done = 0;
  #nextAt: number;
  #isShown = false;

  constructor(session: Session, total: number) {
    this.#session = session;
    this.#total = total;
    this.#nextAt = session.host.now().getTime() + QUIET.first;
  }

  advance(): void {
    this.#done += 1;
    const now = this.#session.host.now().getTime();
    if (now < this.#nextAt) return;
    this.#nextAt = now + QUIET.next;
    const { terminal } = this.#session;
    // Results on the same screen are progress enough.
    if (!terminal.stderrIsTerminal || terminal.stdoutIsTerminal) return;
    this.#isShown = true;
    terminal.complain(`${CLEAR_LINE}${String(this.#done)} of ${String(this.#total)} files`);
  }

  end(): void {
    if (this.#isShown) this.#session.terminal.complain(CLEAR_LINE);
  }
}
