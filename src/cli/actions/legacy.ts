import { resolve } from "node:path";
import { fileExists } from "../../storage/read.ts";
import { SopsError } from "../../errors.ts";
import { refuseChangeOfMissing, refuseConflicts, refuseMissing, requireOperand } from "../files.ts";
import { keyOptionNames } from "../options.ts";
import type { Action, Session } from "../session.ts";
import { loadSettings, nameFor, ruleFor } from "../settings.ts";
import { looksLikeCommand, suggestCommand } from "../suggest.ts";

/**
 * `[options] FILE`: the action is chosen by options, and with none of them the file is edited. Where several are given
 * all run, and the result of the last one counts (cli-behaviour.md 2.1).
 */
export async function legacyAction(session: Session): Promise<number> {
  const { values, positionals } = session.invocation;
  const file = requireOperand(positionals[0]);
  refuseConflicts(session, undefinedForStdin(file));
  const chosen = (["encrypt", "decrypt", "rotate", "set"] as const).filter((name) => isGiven(values[name]));
  refuseMissingFile(session, file, chosen);
  if (chosen.length > 1) {
    session.log(
      "warning",
      "More than one command (--encrypt, --decrypt, --rotate, --set) has been specified. Only the behaviour of the last one will be observed.",
    );
  }
  const action = chosen.at(-1) ?? "edit";
  // The reference looks for a rule even where it makes no use of it.
  if (action !== "decrypt" && action !== "encrypt" && session.dialect.name === "sops") {
    await ruleFor(await loadSettings(session, nameFor(session, file), "rules"), nameFor(session, file));
  }
  return (await actionFor(action))(session);
}

function isGiven(value: string | boolean | undefined): boolean {
  return value !== undefined && value !== false && value !== "";
}

/** With a name, standard input is a file like any other here: only `-` is none. */
function undefinedForStdin(file: string): string | undefined {
  return file === "-" ? undefined : file;
}

function refuseMissingFile(session: Session, file: string, chosen: readonly string[]): void {
  const path = resolve(session.workingDirectory, file);
  if (file === "/dev/stdin" || file === "-" || fileExists(path)) return;
  const { values } = session.invocation;
  const changesKeys = keyOptionNames.some((name) => isGiven(values[`add-${name}`]) || isGiven(values[`rm-${name}`]));
  if (changesKeys) refuseChangeOfMissing(session, file);
  if (chosen.some((name) => name !== "set")) refuseMissing(session, file);
  if (chosen.length === 0) refuseMistypedCommand(session, file);
}

/** A word that is no file would be edited as a new one, which nobody wants of a mistyped command (I-03). */
function refuseMistypedCommand({ dialect }: Session, word: string): void {
  const meant = suggestCommand(word);
  if (meant === undefined && !(dialect.refusesUnknownAnywhere && looksLikeCommand(word))) return;
  throw new SopsError("ERR_USAGE", `unknown command ${JSON.stringify(word)}`, {
    hint: `${meant === undefined ? "" : `did you mean ${meant}? `}to create a file of that name, write ./${word}`,
  });
}

async function actionFor(name: "encrypt" | "decrypt" | "rotate" | "set" | "edit"): Promise<Action> {
  switch (name) {
    case "encrypt":
      return (await import("./encrypt.ts")).encryptAction;
    case "decrypt":
      return (await import("./decrypt.ts")).decryptAction;
    case "rotate":
      return (await import("./rotate.ts")).rotateAction;
    case "set":
      return (await import("./set.ts")).legacySetAction;
    case "edit":
      return (await import("./edit.ts")).editAction;
  }
}
