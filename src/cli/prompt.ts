import { SopsError } from "../errors.ts";
import type { Session } from "./session.ts";

/**
 * Asks a question on standard output until the answer is exactly `y` or `n`, as the reference does; scripts pipe the
 * answer in.
 *
 * @throws {SopsError} ERR_CANCELLED at the end of input, for an empty line, or for more than one word
 */
export async function askYesNo({ terminal }: Session, question: string): Promise<boolean> {
  for (;;) {
    terminal.print(question);
    const line = await terminal.readLine();
    if (line === undefined) throw noAnswer("EOF");
    const words = line.split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) throw noAnswer("unexpected newline");
    if (words.length > 1) throw noAnswer("expected newline");
    if (words[0] === "y") return true;
    if (words[0] === "n") return false;
  }
}

function noAnswer(reason: string): SopsError {
  return new SopsError("ERR_CANCELLED", reason, { hint: "answer y or n, or pass --yes" });
}
