import { loadConfig } from "../config/load.ts";
import { policyFromRule, type EncryptionPolicy } from "../config/policy.ts";
import { matchRule } from "../config/rules.ts";
import { compileSelection, DEFAULT_SELECTION, type SelectionRule } from "../document/selection.ts";
import { ConfigError, describePath, SopsError } from "../errors.ts";
import { keyBackends } from "../keys/registry.ts";
import { newlyClear, unnamedKeys, type Review, type Rewrite } from "../operations/guard.ts";
import type { Context } from "../operations/context.ts";
import { contextOf } from "./context.ts";
import type { Session } from "./session.ts";
import { nameFor, type Settings } from "./settings.ts";

/** The context of a command that writes an encrypted file again: what the file asks for is held against its rule. */
export function reviewingContext(session: Session, settings: Settings, operand: string | undefined): Context {
  return { ...contextOf(session, operand), review: reviewOf(session, settings, nameFor(session, operand)) };
}

/**
 * Compares a file with the creation rule for it, if there is one, and tells what differs.
 *
 * What would store a secret in clear, or wrap a data key for somebody the rule does not name, is a warning to the
 * reference's callers (I-50). In our own face the first needs a yes on a terminal or `--allow-unencrypted`; the second is
 * refused where nobody reads warnings (`CI`) and with `--require-config-recipients`.
 */
function reviewOf(session: Session, settings: Settings, name: string | undefined): Review {
  return async (rewrite) => {
    const policy = await policyFor(session, settings, name);
    if (policy === undefined) return undefined;
    const integrity = policy.integrity === true;
    if (integrity && rewrite.metadata.integrity === undefined)
      session.log("warning", "The file's rule asks for an integrity, and the file has none; rotate gives it one.");
    reviewKeys(session, rewrite, policy);
    await reviewSelection(session, rewrite, policy.selection);
    return { integrity };
  };
}

/** The rule's policy; a configuration that makes no sense keeps nobody from changing a file. */
async function policyFor(
  session: Session,
  { location }: Settings,
  name: string | undefined,
): Promise<EncryptionPolicy | undefined> {
  if (location === undefined || name === undefined) return undefined;
  try {
    const config = await loadConfig(location, keyBackends, session.host);
    const rule = await matchRule(config, name);
    return rule === undefined ? undefined : policyFromRule(rule, keyBackends, {});
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    // Broken syntax was told of when the layout of formats was looked for.
    if (!(error instanceof ConfigError)) session.log("warning", `the file's rule is not used: ${error.message}`);
    return undefined;
  }
}

function reviewKeys(session: Session, { metadata, wrapsAnew }: Rewrite, policy: EncryptionPolicy): void {
  const { dialect, host, invocation } = session;
  const unnamed = unnamedKeys(metadata, policy.keyGroups);
  const { shamirThreshold: wanted, keyGroups } = policy;
  const needed = wanted === 0 ? keyGroups.length : wanted;
  const isLowered = keyGroups.length > 1 && (metadata.groups.length < 2 || metadata.shamirThreshold < needed);
  if (unnamed.length === 0 && !isLowered) return;
  const isRequired = invocation.values["require-config-recipients"] === true || isUnattended(host.env);
  if (wrapsAnew && dialect.name === "leafcrypt" && isRequired) {
    const who = unnamed.map(({ id }) => id).join(", ");
    throw new SopsError(
      "ERR_POLICY",
      isLowered ? "the file asks for fewer key groups than its rule" : `the file's rule does not name ${who}`,
      { hint: "bring its keys in line with updatekeys, or add them to the rule" },
    );
  }
  for (const { type, id } of unnamed)
    session.log("warning", "The file names a key that its rule does not name.", { type, key: id });
  if (isLowered) session.log("warning", "The file asks for fewer key groups than its rule.");
}

/** Continuous integration: output is kept, but nobody reads the warnings of a run that succeeds. */
function isUnattended({ CI }: Session["host"]["env"]): boolean {
  return CI !== undefined && !["", "0", "false"].includes(CI.toLowerCase());
}

async function reviewSelection(session: Session, rewrite: Rewrite, rule: SelectionRule | undefined): Promise<void> {
  const [stored, wanted] = [rewrite.metadata.selection ?? DEFAULT_SELECTION, rule ?? DEFAULT_SELECTION];
  if (rewrite.format === "binary" || (stored.kind === wanted.kind && stored.pattern === wanted.pattern)) return;
  session.log("warning", "The file keeps its own selection; that of its rule is another.", {
    file: describeRule(stored),
    rule: describeRule(wanted),
  });
  const paths = newlyClear(rewrite, await compileSelection(stored), await compileSelection(wanted));
  if (paths.length > 0) await confirmClear(session, paths.map(describePath));
}

function describeRule({ kind, pattern }: SelectionRule): string {
  return `${kind}: ${pattern}`;
}

const LISTED_PATHS = 8;

async function confirmClear(session: Session, paths: readonly string[]): Promise<void> {
  const { dialect, invocation, terminal } = session;
  const more = paths.length > LISTED_PATHS ? `, and ${String(paths.length - LISTED_PATHS)} more` : "";
  const which = `${paths.slice(0, LISTED_PATHS).join(", ")}${more}`;
  const message = `the file's own selection stores in clear what its rule would encrypt: ${which}`;
  if (dialect.name === "sops" || invocation.values["allow-unencrypted"] === true) {
    session.log("warning", message);
    return;
  }
  if (terminal.stdinIsTerminal && terminal.stderrIsTerminal) {
    terminal.complain(`${message}\nStore it in clear? (y/n): `);
    if ((await terminal.readLine())?.trim() === "y") return;
    throw new SopsError("ERR_CANCELLED", "User canceled operation");
  }
  throw new SopsError("ERR_POLICY", message, {
    hint: "correct the selection in the file's metadata, or pass --allow-unencrypted",
  });
}
