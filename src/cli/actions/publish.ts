import { statSync } from "node:fs";
import { basename, extname, join, relative, resolve, sep } from "node:path";
import { matchDestination } from "../../config/destinations.ts";
import type { Config } from "../../config/schema.ts";
import { ConfigError, SopsError } from "../../errors.ts";
import { targetFor } from "../../operations/destinations/destination.ts";
import { publishedContent } from "../../operations/publish.ts";
import { contextOf } from "../context.ts";
import { readOperand, requireOperand } from "../files.ts";
import { filesBelow } from "../folders.ts";
import { formatKeyChanges } from "../key-diff.ts";
import { escapeControls } from "../log.ts";
import { forEachFile, type Turn } from "../many.ts";
import { askYesNo } from "../prompt.ts";
import type { Session } from "../session.ts";
import { formatChoice, loadSettings, type Settings } from "../settings.ts";

const HEADLINE = "The following changes will be made to the file's key groups:";

/** `publish PATH` */
export async function publishAction(session: Session): Promise<number> {
  const { positionals, values } = session.invocation;
  const [operand] = positionals;
  const path = resolve(session.workingDirectory, operand ?? "");
  const settings = await loadSettings(session, path, "rules");
  const { config } = settings;
  if (config === undefined) {
    throw new ConfigError("config file not found", { hint: "publish takes the destinations from .sops.yaml" });
  }
  const given = requireOperand(operand);
  const isFolder = isDirectory(path);
  if (isFolder && values.recursive !== true) {
    throw new SopsError("ERR_USAGE", "can't operate on a directory without --recursive flag.");
  }
  const publishOne = async (file: string, turn: Turn): Promise<void> => {
    const within = isFolder ? relative(path, file) : "";
    const name = isFolder ? within.split(sep).join("/") : basename(path);
    await publish(session, settings, config, { file, name, given: isFolder ? join(given, within) : given, turn });
  };
  const files = isFolder ? filesBelow(path) : [path];
  if (session.dialect.takesSeveralFiles)
    return forEachFile(session, files, (file, turn) => publishOne(file ?? path, turn));
  // The reference stops at the first failure.
  for (const file of files) await publishOne(file, () => Promise.resolve());
  return 0;
}

function isDirectory(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status !== undefined) return status.isDirectory();
  throw new SopsError("ERR_USAGE", `lstat ${escapeControls(path)}: no such file or directory`);
}

/** A file: its absolute path, what it is called at the destination, and how the command line has it. */
interface Publishable {
  readonly file: string;
  readonly name: string;
  readonly given: string;
  /** Comes when everything is said about the files before it. */
  readonly turn: Turn;
}

async function publish(
  session: Session,
  settings: Settings,
  config: Config,
  { file, name, given, turn }: Publishable,
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
    context: contextOf(session),
    ignoreMac: values["ignore-mac"] === true,
  });
  await turn();
  if (changes?.isUpToDate === false) terminal.print(formatKeyChanges(changes, session.paint, HEADLINE));
  const question = `uploading ${escapeControls(file)} to ${escapeControls(target.address)} ? (y/n): `;
  if (values.yes !== true && !(await askYesNo(session, question))) {
    cancel(session, file);
    return;
  }
  const outcome = await target.put(content, host);
  session.log("info", outcome === "written" ? "Published" : "Not published: it is there already", {
    file,
    destination: target.address,
  });
}

function cancel({ invocation, terminal }: Session, file: string): void {
  const text = `Publication of ${escapeControls(file)} canceled`;
  if (invocation.values.recursive !== true) throw new SopsError("ERR_CANCELLED", text);
  terminal.print(`${text}\n`);
}
