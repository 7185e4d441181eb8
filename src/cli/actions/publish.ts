import { statSync } from "node:fs";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { matchDestination } from "../../config/destinations.ts";
import type { Config } from "../../config/schema.ts";
import { ConfigError, SopsError } from "../../errors.ts";
import { targetFor, type Target } from "../../operations/destinations/destination.ts";
import { publishedContent } from "../../operations/publish.ts";
import { contextOf } from "../context.ts";
import { readOperand, requireOperand } from "../files.ts";
import { filesBelow } from "../folders.ts";
import { formatKeyChanges } from "../key-diff.ts";
import { escapeControls } from "../log.ts";
import { forEachFile, type Turn } from "../many.ts";
import { askYesNo } from "../prompt.ts";
import type { Session } from "../session.ts";
import { formatChoice, settingsReader, type Settings } from "../settings.ts";

const HEADLINE = "The following changes will be made to the file's key groups:";

/** `publish PATH…` */
export async function publishAction(session: Session): Promise<number> {
  const { invocation, dialect } = session;
  const [first, ...others] = invocation.positionals;
  const settingsOf = settingsReader(session, "rules");
  // By path: a file that is named twice is published once.
  const found = new Map<string, Publishable>();
  for (const operand of dialect.takesSeveralFiles ? [first, ...others] : [first]) {
    for (const one of await publishablesOf(session, operand, settingsOf)) found.set(one.file, one);
  }
  const work = async (file: string | undefined, turn: Turn): Promise<void> => {
    const one = found.get(file ?? "");
    if (one !== undefined) await publish(session, one, turn);
  };
  if (dialect.takesSeveralFiles) return forEachFile(session, [...found.keys()], work);
  // The reference stops at the first failure.
  for (const file of found.keys()) await work(file, () => Promise.resolve());
  return 0;
}

/** One file to publish. */
interface Publishable {
  /** Absolute. */
  readonly file: string;
  /** What it is called at the destination, extension included. */
  readonly name: string;
  /** How the command line has it. */
  readonly given: string;
  readonly settings: Settings;
  readonly config: Config;
}

/** A file, or those below a folder but for the configuration. */
async function publishablesOf(
  session: Session,
  operand: string | undefined,
  settingsOf: ReturnType<typeof settingsReader>,
): Promise<Publishable[]> {
  const path = resolve(session.workingDirectory, operand ?? "");
  const status = statSync(path, { throwIfNoEntry: false });
  const isFolder = status?.isDirectory() === true;
  const settings = await settingsOf(isFolder ? join(path, "file") : path);
  const { config } = settings;
  if (config === undefined) {
    throw new ConfigError("config file not found", { hint: "publish takes the destinations from .sops.yaml" });
  }
  const given = requireOperand(operand);
  if (status === undefined) {
    throw new SopsError("ERR_USAGE", `lstat ${escapeControls(path)}: no such file or directory`);
  }
  if (!isFolder) return [{ file: path, name: basename(path), given, settings, config }];
  if (session.invocation.values.recursive !== true) {
    throw new SopsError("ERR_USAGE", "can't operate on a directory without --recursive flag.");
  }
  return filesBelow(path, "with links")
    .filter((file) => file !== config.location.path)
    .map((file) => {
      const within = relative(path, file);
      return { file, name: within.split(sep).join("/"), given: join(given, within), settings, config };
    });
}

/** Publishes one file; its turn comes when everything is said about the files before it. */
async function publish(
  session: Session,
  { file, name, given, settings, config }: Publishable,
  turn: Turn,
): Promise<void> {
  const { invocation, host, terminal } = session;
  const { values } = invocation;
  const { rule, destination } = await matchDestination(config, file, given);
  const omitsExtension = values["omit-extensions"] === true || rule.omitExtensions;
  const published = omitsExtension ? name.slice(0, name.length - extname(name).length) : name;
  const target = await targetFor(destination, published, host);
  const choice = formatChoice(session, settings, file);
  const { content, changes } = await publishedContent(readOperand(session, file).bytes, rule, {
    ...choice,
    output: choice.input,
    context: contextOf(session, file),
    ignoreMac: values["ignore-mac"] === true,
  });
  const showChanges = async (): Promise<void> => {
    await turn();
    if (changes?.isUpToDate === false) terminal.print(formatKeyChanges(changes, session.paint, HEADLINE));
  };
  // Where nobody is asked, files are uploaded side by side.
  if (values.yes === true) {
    const [outcome] = await Promise.all([target.put(content, host), showChanges()]);
    logOutcome(session, file, target, outcome);
    return;
  }
  await showChanges();
  const question = `uploading ${escapeControls(file)} to ${escapeControls(target.address)} ? (y/n): `;
  if (await askYesNo(session, question)) logOutcome(session, file, target, await target.put(content, host));
  else cancel(session, file);
}

function logOutcome(session: Session, file: string, { address }: Target, outcome: "written" | "unchanged"): void {
  const text = outcome === "written" ? "Published" : "Not published: it is there already";
  session.log("info", text, { file, destination: address });
}

function cancel({ invocation, terminal }: Session, file: string): void {
  const text = `Publication of ${escapeControls(file)} canceled`;
  if (invocation.values.recursive !== true) throw new SopsError("ERR_CANCELLED", text);
  terminal.print(`${text}\n`);
}
