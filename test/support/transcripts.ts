import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir, userInfo } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fixtures, sandbox, type RunResult, type Sandbox } from "./sandbox.ts";

/** Replaces what differs from run to run before two texts are compared. */
interface Volatile {
  readonly regex: string;
  readonly flags: string;
  readonly replace: string;
}

/** A file after a step; null: deleted. */
interface FileAfter {
  readonly text?: string;
  readonly base64?: string;
  readonly mode?: string;
  readonly cells_before?: number;
  readonly cells_kept?: number;
}

/** One recorded invocation (fixtures/README.md). */
export interface Step {
  readonly argv: readonly string[];
  readonly exit: number | null;
  readonly stdout?: string;
  readonly stdout_base64?: string;
  readonly stderr: string;
  readonly files_after: Readonly<Record<string, FileAfter | null>>;
  readonly volatile?: readonly Volatile[];
  readonly stdin?: string;
  readonly stdin_file?: string;
  readonly cwd?: string;
  /** null: the variable of the transcript is not set in this step. */
  readonly env?: Readonly<Record<string, string | null>>;
  readonly umask?: string;
  readonly signal?: { readonly name: string; readonly when_exists: string };
  readonly killed_by?: string;
  readonly timed_out?: boolean;
}

interface SetupFile {
  readonly from?: string;
  readonly text?: string;
  readonly base64?: string;
  readonly symlink?: string;
  readonly dir?: boolean;
  readonly mode?: string;
}

/** Invocations that run one after the other in one folder. */
export interface Transcript {
  readonly id: string;
  readonly row: string | null;
  /** Further rows of the checklist that it shows. */
  readonly also_rows?: readonly string[];
  /** Whether the reference does here what we do not. */
  readonly upstream_defect?: boolean;
  readonly title: string;
  readonly setup: { readonly files: Readonly<Record<string, SetupFile>> };
  readonly env: Readonly<Record<string, string>>;
  readonly needs?: readonly string[];
  readonly steps: readonly Step[];
}

/**
 * What a step does here instead of what was recorded. What is not named stays as recorded; `stderr` of such a step is
 * compared with `stderr` of the expectation only.
 */
export interface ExpectedStep {
  readonly exit?: number;
  readonly stdout?: string | { readonly contains: readonly string[] };
  /** Phrases. */
  readonly stderr?: readonly string[];
  readonly files_after?: Readonly<Record<string, FileAfter | null | "any">>;
}

/** A text on standard error that callers look for: wherever it was recorded, or in a few transcripts only. */
export type Phrase = string | { readonly phrase: string; readonly only: readonly string[] };

/** A transcript that we deliberately do not follow, and the improvement (cli-behaviour.md 12) that says so. */
export interface Difference {
  readonly improvement: string;
  readonly reason: string;
  /** By the step's number, counted from 0; null: the step is not run. */
  readonly steps: Readonly<Record<string, ExpectedStep | null>>;
}

/** All transcripts, file by file in the order of the checklist. */
export function loadTranscripts(): readonly Transcript[] {
  const folder = join(fixtures, "transcripts");
  const names = readdirSync(folder).filter((name) => /^[A-Z]+\.json$/u.test(name));
  return names.flatMap((name) => {
    const content = JSON.parse(readFileSync(join(folder, name), "utf8")) as
      { transcripts: Transcript[] } | Transcript[];
    return "transcripts" in content ? content.transcripts : content;
  });
}

/** What this machine lacks of what a transcript needs. */
export function missingNeeds(transcript: Transcript): readonly string[] {
  return (transcript.needs ?? []).filter((need) => !isAvailable(need));
}

function isAvailable(need: string): boolean {
  if (need === "root") return process.getuid?.() === 0;
  if (need === "gpg") return hasProgram("gpg");
  if (need.startsWith("script")) return hasProgram("script");
  return process.platform !== "win32";
}

function hasProgram(name: string): boolean {
  return ["/usr/bin", "/bin"].some((folder) => {
    try {
      return lstatSync(join(folder, name)).isFile() || lstatSync(join(folder, name)).isSymbolicLink();
    } catch {
      return false;
    }
  });
}

/** Replays a transcript and says, step by step, what is not as it should be; an empty list is a success. */
export async function replay(
  transcript: Transcript,
  greppable: readonly Phrase[],
  difference: Difference | undefined,
): Promise<readonly string[]> {
  const phrases = greppable.flatMap((entry) => {
    if (typeof entry === "string") return [entry];
    return entry.only.includes(transcript.id) ? [entry.phrase] : [];
  });
  const box = sandbox();
  const keys = join(dirname(box.dir), "keys");
  cpSync(join(fixtures, "keys"), keys, { recursive: true });
  const places = placesOf(box, keys, transcript);
  try {
    setUp(box, transcript, places);
    const problems: string[] = [];
    for (const [index, step] of transcript.steps.entries()) {
      const expected = difference?.steps[String(index)];
      if (expected === null) break;
      const found = await replayStep(box, transcript, step, places, { phrases, expected });
      problems.push(...found.map((problem) => `step ${String(index)}: ${problem}`));
    }
    return problems;
  } finally {
    box.remove();
  }
}

type Places = readonly (readonly [placeholder: string, path: string])[];

function placesOf(box: Sandbox, keys: string, transcript: Transcript): Places {
  const rings = ["rsa", "ecc", "both"].filter((name) => JSON.stringify(transcript).includes(`{GNUPG:${name}}`));
  return [
    ["{DIR}", box.dir],
    ["{HOME}", box.home],
    ["{TMP}", box.tmp],
    ["{KEYS}", keys],
    ["{ACCOUNT_HOME}", userInfo().homedir],
    ...rings.map((name) => [`{GNUPG:${name}}`, keyRing(name)] as const),
  ];
}

const rings = new Map<string, string>();

/** A GnuPG home with the recorded secret keys, made once for all transcripts. */
function keyRing(name: string): string {
  const made = rings.get(name);
  if (made !== undefined) return made;
  const home = mkdtempSync(join(tmpdir(), "lc-gpg-"));
  chmodSync(home, 0o700);
  for (const key of name === "both" ? ["rsa", "ecc"] : [name])
    execFileSync(
      "gpg",
      ["--homedir", home, "--batch", "--quiet", "--import", join(fixtures, `keys/pgp-${key}.sec.asc`)],
      {
        stdio: "ignore",
      },
    );
  rings.set(name, home);
  return home;
}

/** Ends the agents of the key rings and removes their folders. */
export function removeKeyRings(): void {
  for (const home of rings.values()) {
    execFileSync("gpgconf", ["--homedir", home, "--kill", "all"], { stdio: "ignore" });
    rmSync(home, { recursive: true, force: true });
  }
  rings.clear();
}

function setUp(box: Sandbox, transcript: Transcript, places: Places): void {
  for (const [path, file] of Object.entries(transcript.setup.files)) {
    const target = resolve(box.dir, insert(path, places));
    const mode = file.mode === undefined ? undefined : Number.parseInt(file.mode, 8);
    mkdirSync(dirname(target), { recursive: true });
    if (file.symlink !== undefined) symlinkSync(insert(file.symlink, places), target);
    else if (file.dir === true) mkdirSync(target, { recursive: true });
    else box.write(target, contentOf(file, places), mode);
    if (file.dir === true && mode !== undefined) chmodSync(target, mode);
  }
}

function contentOf(file: SetupFile, places: Places): string | Uint8Array {
  if (file.from !== undefined) return readFileSync(join(fixtures, "transcripts", file.from));
  if (file.base64 !== undefined) return Buffer.from(file.base64, "base64");
  return insert(file.text ?? "", places);
}

function insert(text: string, places: Places): string {
  return places.reduce((result, [placeholder, path]) => result.replaceAll(placeholder, path), text);
}

/** Puts the placeholders back, longest paths first. */
function extract(text: string, places: Places): string {
  return [...places]
    .sort(([, a], [, b]) => b.length - a.length)
    .reduce((result, [placeholder, path]) => result.replaceAll(path, placeholder), text);
}

interface Judgement {
  readonly phrases: readonly string[];
  readonly expected: ExpectedStep | undefined;
}

async function replayStep(
  box: Sandbox,
  transcript: Transcript,
  step: Step,
  places: Places,
  judgement: Judgement,
): Promise<readonly string[]> {
  const before = snapshot(box.dir, box.home);
  const argv = step.argv.map((argument) => insert(argument, places));
  const stdin =
    step.stdin_file === undefined ? undefined : readFileSync(resolve(box.dir, insert(step.stdin_file, places)));
  const env = Object.entries({ ...transcript.env, ...step.env }).map(
    ([name, value]) => [name, value === null ? undefined : insert(value, places)] as const,
  );
  const result = await box.start(step.umask === undefined ? argv : underUmask(step.umask, argv), {
    env: Object.fromEntries(env),
    input: stdin ?? insert(step.stdin ?? "", places),
    ...(step.cwd === undefined ? {} : { cwd: step.cwd }),
    ...(step.signal === undefined
      ? {}
      : { signal: { name: `SIG${step.signal.name}` as NodeJS.Signals, whenExists: step.signal.when_exists } }),
  });
  const after = snapshot(box.dir, box.home);
  const { expected, phrases } = judgement;
  return [
    ...(result.isTimedOut ? ["did not end"] : []),
    ...compareExit(step, result, expected),
    ...compareStdout(step, result, expected, places),
    ...compareStderr(step, extract(result.stderr, places), expected, phrases),
    ...compareFiles(step, before, after, expected, places),
    ...compareTemporary(readdirSync(box.tmp)),
  ];
}

function underUmask(umask: string, argv: readonly string[]): readonly string[] {
  return ["sh", "-c", `umask ${umask}; exec "$0" "$@"`, ...argv];
}

function compareExit(step: Step, result: RunResult, expected: ExpectedStep | undefined): readonly string[] {
  const wanted = expected?.exit ?? step.exit;
  return result.status === wanted
    ? []
    : [`exit ${String(result.status)}, not ${String(wanted)}: ${short(result.stderr)}`];
}

function compareStdout(
  step: Step,
  result: RunResult,
  expected: ExpectedStep | undefined,
  places: Places,
): readonly string[] {
  if (typeof expected?.stdout === "object")
    return expected.stdout.contains
      .filter((part) => !result.stdout.includes(part))
      .map((part) => `stdout does not contain ${short(part)}`);
  if (step.stdout_base64 !== undefined && expected?.stdout === undefined)
    return result.stdoutBytes.toString("base64") === step.stdout_base64 ? [] : ["stdout has other bytes"];
  // `script` puts both streams together, wrapped blocks among them.
  const level = step.argv[0] === "script" ? terminalText : ownWording;
  const wanted = settle(level(expected?.stdout ?? step.stdout ?? ""), step);
  const got = settle(level(extract(result.stdout, places)), step);
  return got === wanted ? [] : [`stdout ${firstDifference(got, wanted)}`];
}

/** What stood on a terminal, up to the part of the failure report that is worded by us. */
function terminalText(text: string): string {
  return collapse(text.replace(/Recovery failed because[^]*/u, "Recovery failed because"));
}

/** Helps and completion scripts are worded by us: of a help its headings count, of a script its first and last line. */
function ownWording(text: string): string {
  const help = text.indexOf("NAME:\n");
  if (help >= 0) return [text.slice(0, help), ...(text.slice(help).match(/^[A-Z ]+:$/gmu) ?? [])].join("\n");
  if (text.startsWith("\n#")) return `${text.split("\n")[1] ?? ""}\n${text.trimEnd().split("\n").at(-1) ?? ""}`;
  return text.startsWith("completion:") ? text.replace(/:.*$/gmu, "") : text;
}

function compareStderr(
  step: Step,
  stderr: string,
  expected: ExpectedStep | undefined,
  phrases: readonly string[],
): readonly string[] {
  const recorded = collapse(step.stderr);
  const wanted =
    expected === undefined ? phrases.filter((phrase) => recorded.includes(collapse(phrase))) : expected.stderr;
  const text = collapse(stderr);
  const missing = (wanted ?? []).filter((phrase) => !text.includes(collapse(phrase)));
  return missing.map((phrase) => `stderr does not say "${phrase}": ${short(stderr)}`);
}

/** Blocks are wrapped after paths are put in, and log lines quote their text: compare without either. */
function collapse(text: string): string {
  return text
    .replaceAll('\\"', '"')
    .replaceAll(/[\s|]+/gu, " ")
    .trim();
}

interface FileState {
  readonly bytes: Buffer;
  readonly mode: string;
}

function snapshot(dir: string, home: string): ReadonlyMap<string, FileState> {
  const files = new Map<string, FileState>();
  const visit = (folder: string, prefix: string): void => {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const status = lstatSync(path);
      if (status.isDirectory()) visit(path, `${prefix}${name}/`);
      else if (status.isFile())
        files.set(prefix + name, {
          bytes: readFileSync(path),
          mode: (status.mode & 0o7777).toString(8).padStart(4, "0"),
        });
    }
  };
  visit(dir, "");
  visit(home, "{HOME}/");
  return files;
}

function compareFiles(
  step: Step,
  before: ReadonlyMap<string, FileState>,
  after: ReadonlyMap<string, FileState>,
  expected: ExpectedStep | undefined,
  places: Places,
): readonly string[] {
  const wanted = expected?.files_after ?? step.files_after;
  const isChanged = (path: string): boolean => {
    const [old, now] = [before.get(path), after.get(path)];
    return old === undefined || now === undefined || !old.bytes.equals(now.bytes) || old.mode !== now.mode;
  };
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(isChanged);
  const problems = changed.filter((path) => !(path in wanted)).map((path) => `${path} changed`);
  for (const [path, file] of Object.entries(wanted)) {
    if (file === "any") continue;
    if (!changed.includes(path)) problems.push(`${path} did not change`);
    else problems.push(...compareFile(path, file, before.get(path), after.get(path), step, places));
  }
  return problems;
}

function compareFile(
  path: string,
  wanted: FileAfter | null,
  before: FileState | undefined,
  after: FileState | undefined,
  step: Step,
  places: Places,
): readonly string[] {
  if (wanted === null || after === undefined)
    return wanted === null && after === undefined ? [] : [`${path} is ${after === undefined ? "gone" : "there"}`];
  const problems: string[] = [];
  if (wanted.base64 !== undefined && after.bytes.toString("base64") !== wanted.base64)
    problems.push(`${path} has other bytes`);
  if (wanted.text !== undefined) {
    const [got, text] = [settle(extract(after.bytes.toString(), places), step), settle(wanted.text, step)];
    if (got !== text) problems.push(`${path} ${firstDifference(got, text)}`);
  }
  if (wanted.mode !== undefined && wanted.mode !== after.mode)
    problems.push(`${path} has mode ${after.mode}, not ${wanted.mode}`);
  if (wanted.cells_kept !== undefined && before !== undefined) {
    const kept = cellsOf(before).filter((cell) => after.bytes.includes(cell)).length;
    if (kept !== wanted.cells_kept)
      problems.push(`${path} kept ${String(kept)} cells, not ${String(wanted.cells_kept)}`);
  }
  return problems;
}

function cellsOf(file: FileState): readonly string[] {
  return file.bytes.toString().match(/ENC\[AES256_GCM,[^\]]*\]/gu) ?? [];
}

/** What the reference leaves behind, it leaves by mistake: nothing may stay here. */
function compareTemporary(left: readonly string[]): readonly string[] {
  return left.length === 0 ? [] : [`left ${left.join(", ")} in the temporary folder`];
}

function settle(text: string, step: Step): string {
  return (step.volatile ?? []).reduce(
    (result, { regex, flags, replace }) => result.replace(new RegExp(regex, flags), replace),
    text,
  );
}

function firstDifference(got: string, wanted: string): string {
  let index = 0;
  while (index < got.length && got[index] === wanted[index]) index += 1;
  const from = Math.max(0, index - 20);
  return `differs at ${String(index)}: ${short(got.slice(from))} instead of ${short(wanted.slice(from))}`;
}

function short(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text);
}
