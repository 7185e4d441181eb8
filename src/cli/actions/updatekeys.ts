import { statSync } from "node:fs";
import { resolve } from "node:path";
import { asBuffer } from "../../bytes/utf8.ts";
import { policyFromRule } from "../../config/policy.ts";
import { ConfigError, SopsError } from "../../errors.ts";
import { keyBackends } from "../../keys/registry.ts";
import { loadFile } from "../../operations/encrypted-file.ts";
import { fileStatus } from "../../operations/status.ts";
import { applyKeyChanges, planKeyChanges } from "../../operations/update-keys.ts";
import { contextOf } from "../context.ts";
import { KEYS_DIFFER_STATUS } from "../exit-codes.ts";
import { readOperand, requireOperand, withLockOn, writeInPlace } from "../files.ts";
import { filesBelow } from "../folders.ts";
import { formatKeyChanges } from "../key-diff.ts";
import { escapeControls, formatProgressLine } from "../log.ts";
import { askYesNo } from "../prompt.ts";
import { reportError } from "../report.ts";
import type { Session } from "../session.ts";
import { formatChoice, inputFormat, loadSettings, nameFor, ruleFor, type Settings } from "../settings.ts";

const HEADLINE = "The following changes will be made to the file's groups:";

/** `updatekeys FILE…` */
export async function updateKeysAction(session: Session): Promise<number> {
  const { positionals, values } = session.invocation;
  const settings = await loadSettings(session, nameFor(session, positionals[0]), "rules");
  if (settings.location === undefined)
    throw new ConfigError("config file not found", { hint: "updatekeys takes the wanted keys from .sops.yaml" });
  requireOperand(positionals[0]);
  const files = values.recursive === true ? positionals.flatMap((path) => encryptedBelow(session, path)) : positionals;
  if (files.length === 1) return updateOne(session, settings, files[0] ?? "");
  const statuses: number[] = [];
  for (const file of files) statuses.push(await updateReporting(session, settings, file));
  const failed = statuses.filter((status) => status !== 0 && status !== KEYS_DIFFER_STATUS).length;
  if (failed > 0) throw new SopsError("ERR_USAGE", `failed updating ${String(failed)} key(s)`);
  return Math.max(...statuses, 0);
}

/** A file as it was named, or the encrypted ones of a folder. */
function encryptedBelow(session: Session, operand: string): string[] {
  const path = resolve(session.workingDirectory, operand);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [operand];
  return filesBelow(path).filter((file) => mayBeEncrypted(session, file));
}

/** The MAC of an encrypted file is a cell; one that does not read stays, so that its failure is told. */
function mayBeEncrypted(session: Session, file: string): boolean {
  const { bytes } = readOperand(session, file);
  if (!asBuffer(bytes).includes("ENC[")) return false;
  try {
    return fileStatus(bytes, inputFormat(session, nameFor(session, file)), contextOf(session, file)).isEncrypted;
  } catch (error) {
    if (error instanceof SopsError) return true;
    throw error;
  }
}

async function updateReporting(session: Session, settings: Settings, file: string): Promise<number> {
  try {
    return await updateOne(session, settings, file);
  } catch (error) {
    const { text, status } = reportError(error, session.dialect, session.paint);
    session.terminal.complain(text);
    return status === 0 ? 1 : status;
  }
}

async function updateOne(session: Session, settings: Settings, file: string): Promise<number> {
  const { values } = session.invocation;
  const path = resolve(session.workingDirectory, file);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new SopsError("ERR_USAGE", "can't operate on a directory");
  say(session, `Syncing keys for file ${path}`);
  const name = nameFor(session, file) ?? path;
  const rule = await ruleFor(settings, name);
  if (rule === undefined) {
    throw new ConfigError(`The config file ${settings.location?.name ?? ""} does not contain any creation rule`);
  }
  const policy = policyFromRule(rule, keyBackends, {});
  const context = contextOf(session, file);
  // Keys are those of the file; its layout stays, whatever the options of other commands say.
  const choice = formatChoice(session, settings, name);
  const options = { ...choice, output: choice.input, context };
  return withLockOn(session, file, async () => {
    const input = readOperand(session, file);
    const loaded = loadFile(input.bytes, choice.input, context);
    const changes = await planKeyChanges(loaded, policy, context);
    if (changes.isUpToDate) {
      say(session, `File ${path} already up to date`);
      return 0;
    }
    session.terminal.print(formatKeyChanges(changes, session.paint, HEADLINE));
    if (values.check === true) return KEYS_DIFFER_STATUS;
    if (values.yes !== true && !(await askYesNo(session, "Is this okay? (y/n):"))) {
      say(session, `File ${path} left unchanged`);
      return 0;
    }
    writeInPlace(session, input, await applyKeyChanges(loaded, changes, options));
    say(session, `File ${path} synced with new keys`);
    return 0;
  });
}

function say(session: Session, text: string): void {
  const { dialect, host, terminal } = session;
  terminal.complain(
    dialect.namesItself ? `${dialect.program}: ${escapeControls(text)}\n` : formatProgressLine(text, host.now()),
  );
}
