import { reportError } from "./report.ts";
import { isStandardInput } from "./files.ts";
import type { Session } from "./session.ts";

/**
 * Works on each FILE in turn, or on standard input where there is none. One FILE throws its own error; of several, each
 * failure is reported beside its file's name, the others are still worked on, and the worst status is returned.
 */
export async function forEachFile(
  session: Session,
  operands: readonly string[],
  work: (operand: string | undefined) => Promise<void>,
): Promise<number> {
  const [first, ...others] = session.dialect.takesSeveralFiles ? operands : operands.slice(0, 1);
  if (others.length === 0) {
    await work(first);
    return 0;
  }
  let worst = 0;
  let failed = 0;
  for (const operand of [first, ...others]) {
    try {
      await work(operand);
    } catch (error) {
      const subject = isStandardInput(operand) ? "standard input" : operand;
      const { text, status } = reportError(error, session.dialect, session.paint, subject);
      session.terminal.complain(text);
      worst = Math.max(worst, status);
      failed += 1;
    }
  }
  if (failed > 0) {
    const total = String(others.length + 1);
    session.terminal.complain(`${session.dialect.program}: ${String(failed)} of ${total} files failed\n`);
  }
  return worst;
}
