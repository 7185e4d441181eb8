import { basename, dirname, resolve } from "node:path";
import { asBuffer } from "../../bytes/utf8.ts";
import { SopsError, type ErrorCode } from "../../errors.ts";
import type { Context } from "../../operations/context.ts";
import { beginEdit, beginNewFile, type EditSession } from "../../operations/edit.ts";
import { replaceFile } from "../../storage/atomic.ts";
import type { Announce } from "../../storage/failures.ts";
import { createPrivateFolder, type PrivateFolder } from "../../storage/temporary.ts";
import { readEdited, readNewest } from "../edited-text.ts";
import { runEditor } from "../editor.ts";
import { exampleTexts } from "../example.ts";
import { readOperand, requireOperand, withLockOn, writeInPlace, type InputText } from "../files.ts";
import { findKept, readKept, removeKept, writeKept, type KeptText } from "../kept-text.ts";
import { isMissing, refuseUnwritableFile, refuseUnwritableFolder } from "../presence.ts";
import { reviewingContext } from "../review.ts";
import type { Session } from "../session.ts";
import { formatChoice, loadSettings, nameFor, policyFor, type Settings } from "../settings.ts";

/** One run of `edit`. */
interface Editing {
  readonly session: Session;
  /** As given, and as an absolute path. */
  readonly file: string;
  readonly path: string;
  readonly edit: EditSession;
  /** Edits of an earlier run, with `--recover`. */
  readonly kept: KeptText | undefined;
  readonly save: (result: Uint8Array) => Promise<void>;
}

/** `edit FILE` */
export async function editAction(session: Session): Promise<number> {
  const file = requireOperand(session.invocation.positionals[0]);
  const path = resolve(session.workingDirectory, file);
  const isNew = isMissing(path);
  const name = nameFor(session, file);
  const settings = await loadSettings(session, name, isNew ? "rules" : "stores");
  if (isNew) refuseUnwritableFolder(dirname(path));
  const input: InputText = isNew ? { path, bytes: new Uint8Array(), identity: null } : readOperand(session, file);
  if (!isNew) refuseUnwritableFile(path, session.dialect.name === "leafcrypt");
  const context = reviewingContext(session, settings, file);
  const kept = await keptFor(session, path, context);
  const edit = await (isNew
    ? beginNew(session, settings, name, context)
    : beginExisting(session, settings, name, context, input));
  try {
    // The lock is for the saving alone: others can change the file while somebody thinks, and are not overwritten.
    const save = (result: Uint8Array): Promise<void> =>
      withLockOn(session, file, () => {
        if (isNew) replaceFile(path, result, { identity: null });
        else writeInPlace(session, input, result);
        return Promise.resolve();
      });
    await editText({ session, file, path, edit, kept, save });
  } finally {
    edit.close();
  }
  return 0;
}

async function keptFor(session: Session, path: string, context: Context): Promise<KeptText | undefined> {
  if (session.invocation.values.recover === true) return readKept(path, context);
  const earlier = findKept(path, session.host);
  if (earlier !== null) {
    session.log("warning", "There are edits of the file that were not saved; edit --recover goes on with them.", {
      file: earlier,
    });
  }
  return undefined;
}

function beginExisting(
  session: Session,
  settings: Settings,
  name: string | undefined,
  context: Context,
  input: InputText,
): Promise<EditSession> {
  const { values } = session.invocation;
  return beginEdit(input.bytes, {
    ...formatChoice(session, settings, name),
    context,
    ignoreMac: values["ignore-mac"] === true,
    showMasterKeys: values["show-master-keys"] === true,
  });
}

async function beginNew(
  session: Session,
  settings: Settings,
  name: string | undefined,
  context: Context,
): Promise<EditSession> {
  const choice = formatChoice(session, settings, name);
  const policy = await policyFor(session, settings, name);
  const text = Buffer.from(exampleTexts[choice.input.name]);
  const strict = session.invocation.values.strict === true;
  try {
    return await beginNewFile(text, { ...choice, context, policy, strict, allowUnencrypted: true });
  } catch (error) {
    if (!(error instanceof SopsError) || error.code !== "ERR_WRAP") throw error;
    const reasons = error.message.replace(/^Could not generate data key: /, "");
    throw new SopsError("ERR_DATA_KEY", `Error encrypting the data key with one or more master keys: ${reasons}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}

/** Errors of the edited text, after which the user goes back to the editor. */
const RETURNING: Readonly<Partial<Record<ErrorCode, string>>> = {
  ERR_PARSE: "Could not load tree, probably due to invalid syntax.",
  ERR_LOAD: "SOPS metadata is invalid.",
  ERR_NO_KEYS: "No master keys were provided, so sops can't encrypt the file.",
  ERR_NO_DOCUMENT: "Tree not valid for encryption.",
  ERR_ALREADY_ENCRYPTED: "Tree not valid for encryption.",
  ERR_EMIT: "Tree not valid for encryption.",
  ERR_ENCRYPT_VALUE: "Tree not valid for encryption.",
  ERR_WRAP: "The data key could not be encrypted for every key.",
};

/** The text in its private folder, from the editor's first start until it is saved. */
async function editText(editing: Editing): Promise<void> {
  const { session, edit, kept, file } = editing;
  const first = kept?.text ?? edit.text;
  if (kept !== undefined && kept.base !== edit.base) {
    session.log("warning", "The file was changed after these edits were made; saving them undoes those changes.", {
      file,
    });
  }
  const folder = openFolder(session, first.length);
  // A signal ends the program without passing the handlers below.
  const settled = session.cleanup.add(() => {
    const place = keepText(editing, folder);
    if (place !== undefined) session.terminal.complain(`${session.dialect.program}: ${place}\n`);
  });
  try {
    await editUntilSaved(editing, folder.write(basename(file), first));
    if (kept !== undefined) removeKept(kept.path, announcer(session));
  } catch (error) {
    // Whoever leaves the text as it was wants nothing kept, not even what an editor saved by itself.
    const isUnchanged = error instanceof SopsError && error.code === "ERR_UNCHANGED";
    throw isUnchanged ? error : withPlace(error, keepText(editing, folder));
  } finally {
    settled();
    folder.remove();
  }
}

function announcer(session: Session): Announce {
  return (message, fields) => {
    session.log("warning", message, fields);
  };
}

function openFolder({ dialect, host, cleanup }: Session, expectedBytes: number): PrivateFolder {
  const style = dialect.name === "sops" ? "reference" : "private";
  return createPrivateFolder({ env: host.env, cleanup, expectedBytes, style });
}

async function editUntilSaved({ session, edit, kept, save }: Editing, path: string): Promise<void> {
  for (;;) {
    const started = performance.now();
    await runEditor(session, path);
    const edited = readEdited(path);
    if (edited === undefined) throw nothingLeft();
    if (asBuffer(edited).equals(edit.text)) {
      if (kept !== undefined) removeKept(kept.path, announcer(session));
      throw unchanged(session, performance.now() - started);
    }
    const result = await finishOrReturn(session, edit, edited);
    if (result === undefined) continue;
    await save(result);
    return;
  }
}

/** Milliseconds in which nobody edits anything. */
const AT_ONCE = 500;

function unchanged({ dialect }: Session, elapsed: number): SopsError {
  const isSuspicious = elapsed < AT_ONCE && dialect.name === "leafcrypt";
  return new SopsError("ERR_UNCHANGED", "File has not changed, exiting.", {
    ...(isSuspicious ? { hint: "an editor with a window of its own has to wait for it: EDITOR='code --wait'" } : {}),
  });
}

function nothingLeft(): SopsError {
  return new SopsError("ERR_EDITOR", "Could not run editor: it left no file behind", {
    hint: "the file was not changed",
  });
}

async function finishOrReturn(
  session: Session,
  edit: EditSession,
  edited: Uint8Array,
): Promise<Uint8Array | undefined> {
  try {
    return await edit.finish(edited);
  } catch (error) {
    const reason = error instanceof SopsError ? RETURNING[error.code] : undefined;
    if (reason === undefined || !(error instanceof SopsError)) throw error;
    session.log("error", `${reason} Press enter to return to the editor, or Ctrl+C to exit.`, { error: error.message });
    if ((await session.terminal.readLine()) === undefined) throw error;
    return undefined;
  }
}

/**
 * Keeps what somebody typed, encrypted under the file's data key (I-24); in clear only where that cannot be done at all.
 *
 * @returns a sentence that says where it is; undefined if there is nothing new to keep
 */
function keepText({ edit, kept, path, file, session }: Editing, folder: PrivateFolder): string | undefined {
  try {
    const text = readNewest(folder.path, basename(file));
    const known = [edit.text, kept?.text];
    const isNew = text !== undefined && text.length > 0 && !known.some((old) => old && asBuffer(old).equals(text));
    if (!isNew) return undefined;
    const place = writeKept(path, edit.keep(text), folder, session.host);
    const keys = session.invocation.values["show-master-keys"] === true ? " --show-master-keys" : "";
    return `what you edited is kept, encrypted, in ${place.path}: ${
      place.isFound
        ? `edit --recover${keys} ${file} goes on with it`
        : "decrypt --input-type binary --output-type binary shows it"
    }`;
  } catch {
    return `what you edited could not be encrypted and is kept in clear: take it from ${folder.keep()}, and remove that`;
  }
}

function withPlace(error: unknown, place: string | undefined): unknown {
  if (place === undefined) return error;
  const isOurs = error instanceof SopsError;
  const message = isOurs ? error.message : "the edited text could not be encrypted";
  return new SopsError(isOurs ? error.code : "ERR_PROCESS", message, { hint: place, cause: error });
}
