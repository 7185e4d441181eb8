import { readFileSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { asBuffer } from "../../bytes/utf8.ts";
import { SopsError, type ErrorCode } from "../../errors.ts";
import { beginEdit, beginNewFile, type EditSession } from "../../operations/edit.ts";
import { replaceFile } from "../../storage/atomic.ts";
import { createPrivateFolder, type PrivateFolder } from "../../storage/temporary.ts";
import { runEditor } from "../editor.ts";
import { exampleTexts } from "../example.ts";
import { readOperand, requireOperand, withLockOn, writeInPlace, type InputText } from "../files.ts";
import { reviewingContext } from "../review.ts";
import type { Session } from "../session.ts";
import { formatChoice, loadSettings, nameFor, policyFor, type Settings } from "../settings.ts";
import { isMissing, refuseUnwritableFolder } from "../presence.ts";

/** `edit FILE` */
export async function editAction(session: Session): Promise<number> {
  const file = requireOperand(session.invocation.positionals[0]);
  const path = resolve(session.workingDirectory, file);
  const isNew = isMissing(path);
  const name = nameFor(session, file);
  const settings = await loadSettings(session, name, isNew ? "rules" : "stores");
  await withLockOn(session, file, async () => {
    if (isNew) refuseUnwritableFolder(dirname(path));
    const input: InputText = isNew ? { path, bytes: new Uint8Array(), identity: null } : readOperand(session, file);
    const edit = await begin(session, settings, name, input, isNew);
    try {
      const result = await editText(session, edit, basename(file));
      if (isNew) replaceFile(path, result, { identity: null });
      else writeInPlace(session, input, result);
    } finally {
      edit.close();
    }
  });
  return 0;
}

async function begin(
  session: Session,
  settings: Settings,
  name: string | undefined,
  input: InputText,
  isNew: boolean,
): Promise<EditSession> {
  const { values } = session.invocation;
  const choice = formatChoice(session, settings, name);
  const context = reviewingContext(session, settings, name);
  if (!isNew) {
    const options = { ...choice, context, ignoreMac: values["ignore-mac"] === true };
    return beginEdit(input.bytes, { ...options, showMasterKeys: values["show-master-keys"] === true });
  }
  const policy = await policyFor(session, settings, name);
  const text = Buffer.from(exampleTexts[choice.input.name]);
  return beginNewFile(text, { ...choice, context, policy, strict: values.strict === true, allowUnencrypted: true });
}

/** Errors of the edited text, after which the user goes back to the editor. */
const RETURNING: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_PARSE: "Could not load tree, probably due to invalid syntax.",
  ERR_LOAD: "SOPS metadata is invalid.",
  ERR_NO_DOCUMENT: "Tree not valid for encryption.",
  ERR_ALREADY_ENCRYPTED: "Tree not valid for encryption.",
  ERR_EMIT: "Tree not valid for encryption.",
  ERR_ENCRYPT_VALUE: "Tree not valid for encryption.",
};

async function editText(session: Session, edit: EditSession, fileName: string): Promise<Uint8Array> {
  const folder = createPrivateFolder({
    env: session.host.env,
    cleanup: session.cleanup,
    expectedBytes: edit.text.length,
  });
  try {
    const path = folder.write(fileName, edit.text);
    for (;;) {
      await runEditor(session, path);
      const edited = readEdited(path);
      if (asBuffer(edited).equals(edit.text)) {
        throw new SopsError("ERR_UNCHANGED", "File has not changed, exiting.");
      }
      const result = await finishOrReturn(session, edit, edited, folder);
      if (result !== undefined) return result;
    }
  } finally {
    folder.remove();
  }
}

function readEdited(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch {
    throw new SopsError("ERR_EDITOR", "Could not run editor: it left no file behind", {
      hint: "the file was not changed",
    });
  }
}

async function finishOrReturn(
  session: Session,
  edit: EditSession,
  edited: Uint8Array,
  folder: PrivateFolder,
): Promise<Uint8Array | undefined> {
  try {
    return await edit.finish(edited);
  } catch (error) {
    const reason = error instanceof SopsError ? RETURNING[error.code] : undefined;
    if (reason === undefined || !(error instanceof SopsError)) throw keptText(error, folder);
    session.log("error", `${reason} Press enter to return to the editor, or Ctrl+C to exit.`, { error: error.message });
    if (session.terminal.readLine() === undefined) throw keptText(error, folder);
    return undefined;
  }
}

/** What somebody typed is not thrown away: the folder stays, and the message says where (I-24). */
function keptText(error: unknown, folder: PrivateFolder): SopsError {
  const kept = folder.keep();
  const code = error instanceof SopsError ? error.code : "ERR_PROCESS";
  const message = error instanceof SopsError ? error.message : "the edited text could not be encrypted";
  return new SopsError(code, message, {
    hint: `the text you edited is in ${kept}; delete it when you have it back in the file`,
    cause: error,
  });
}
