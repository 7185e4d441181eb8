import { readdirSync } from "node:fs";
import { firstDifference } from "../../src/document/compare.ts";
import {
  entry,
  findEntry,
  leaf,
  mapping,
  sequence,
  type Entry,
  type Mapping,
  type Node,
} from "../../src/document/model.ts";
import { withNodeAt, withoutNodeAt, type TreePath, type Component } from "../../src/document/path.ts";
import type { SelectionRule } from "../../src/document/selection.ts";
import { FormatError, SopsError } from "../../src/errors.ts";
import type { FormatName, Source } from "../../src/formats/format.ts";
import { formatOfName, formatOfPath, readPlain } from "../../src/formats/registry.ts";
import { readBlockYaml } from "../../src/formats/yaml/block-reader.ts";
import { hasUnusualCharacters } from "../../src/formats/yaml/characters.ts";
import { readGeneralYaml } from "../../src/formats/yaml/general-reader.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import type { Context, FormatChoice, Layout } from "../../src/operations/context.ts";
import { set, unset } from "../../src/operations/set.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { policyOf } from "../support/operations.ts";
import { fixture, vectors } from "../support/vectors.ts";
import { CANARY, mutate, Randomness } from "./mutate.ts";

interface Seed {
  readonly format: FormatName;
  readonly text: string;
}

/** Something that must not be. The text is given so that it can become a test. */
export interface Finding {
  readonly what: string;
  readonly format: FormatName;
  readonly text: string;
}

const MILLISECONDS_PER_MEGABYTE = 1_000;

/** Enough to work on. */
const MOST_FINDINGS = 100;

const SELECTIONS: readonly (SelectionRule | undefined)[] = [
  undefined,
  { kind: "encrypted_regex", pattern: "^[a-m]" },
  { kind: "unencrypted_regex", pattern: "[0-9]|s" },
  { kind: "encrypted_comment_regex", pattern: "e" },
  { kind: "unencrypted_comment_regex", pattern: "^ [A-Z]" },
];

/** All texts of the fixtures. */
export function seeds(): Seed[] {
  const folders = ["interop/plain/", "interop/encrypted/", "texts/"];
  const files = folders.flatMap((folder) =>
    readdirSync(new URL(`../../fixtures/${folder}`, import.meta.url)).map((name) => ({
      format: formatOfPath(name).name,
      text: fixture(folder + name).toString(),
    })),
  );
  const { cases } = JSON.parse(fixture("interop/relaid.json").toString()) as { cases: readonly Seed[] };
  const inputs = (section: string, format: FormatName, key: string): Seed[] =>
    (vectors(section) as Readonly<Record<string, string>>[]).map((vector) => ({ format, text: vector[key] ?? "" }));
  return [
    ...files.filter(({ format }) => format !== "binary"),
    ...cases.map(({ format, text }) => ({ format, text })),
    ...inputs("yaml_comments", "yaml", "yaml"),
    ...inputs("yaml_documents", "yaml", "yaml"),
    ...inputs("json_documents", "json", "input"),
    ...inputs("dotenv_documents", "dotenv", "input"),
    ...inputs("ini_documents", "ini", "input"),
  ];
}

/** How long to look; whichever ends first. */
export interface Budget {
  readonly tries: number;
  readonly milliseconds: number;
}

/** Tries mutated texts, the same ones for the same seed. */
export async function fuzz(seed: number, budget: Budget): Promise<{ tries: number; findings: Finding[] }> {
  const random = new Randomness(seed);
  const all = seeds();
  const findings: Finding[] = [];
  const end = performance.now() + budget.milliseconds;
  let tries = 0;
  while (tries < budget.tries && performance.now() < end && findings.length < MOST_FINDINGS) {
    const { format, text } = random.pick(all);
    const mutated = mutate(text, random.pick(all).text, random);
    tries += 1;
    findings.push(...(await check(format, mutated, random)).map((what) => ({ what, format, text: mutated })));
  }
  return { tries, findings };
}

/** Everything that must hold for a text, whatever it is; what does not is named. */
export async function check(name: FormatName, text: string, random: Randomness): Promise<string[]> {
  const problems: string[] = [];
  const bytes = Buffer.from(text);
  const start = performance.now();
  const source = attempt(() => readPlain(formatOfName(name), bytes), problems);
  const limit = MILLISECONDS_PER_MEGABYTE * Math.max(1, bytes.length / 2 ** 20);
  if (performance.now() - start > limit) problems.push("reading takes too long");
  if (name === "yaml") compareReaders(bytes, problems);
  if (source === undefined) return problems;
  checkWriting(source, bytes, problems);
  for (const layout of ["keep", "reference"] as const) {
    if (random.below(3) === 0) await checkOperations(source, bytes, layout, random, problems);
  }
  if (performance.now() - start > 6 * limit) problems.push("encrypting and decrypting take too long");
  return problems;
}

/** What an action gives; undefined where it fails as it should, with a message that shows no value. */
function attempt<T>(action: () => T, problems: string[]): T | undefined {
  try {
    return action();
  } catch (error) {
    problems.push(...problemsOf(error));
    return undefined;
  }
}

function problemsOf(error: unknown): string[] {
  if (!(error instanceof SopsError)) return [`a crash: ${String(error)} ${String((error as Error).stack)}`];
  // Keys may be shown, and a mutation may make a key of anything.
  const shown = `${error.message} ${error.hint ?? ""}`.replace(/\[".*"\]|offending \w+ .*/gs, "");
  if (shown.includes(CANARY)) return [`a message with a value: ${error.message}`];
  return error instanceof FormatError && error.position === undefined ? [`no place: ${error.message}`] : [];
}

function compareReaders(bytes: Buffer, problems: string[]): void {
  const text = bytes.toString();
  const start = text.startsWith("\ufeff") ? 1 : 0;
  if (hasUnusualCharacters(text.slice(start))) return;
  const outcome = (read: () => readonly Mapping[] | undefined): string | undefined => {
    try {
      return JSON.stringify(read(), (_key, value: unknown) =>
        typeof value === "bigint" ? `${String(value)}n` : value,
      );
    } catch (error) {
      return String(error);
    }
  };
  const block = outcome(() => readBlockYaml(text, start));
  if (block !== undefined && block !== outcome(() => readGeneralYaml(text, start)))
    problems.push("the readers disagree");
}

function checkWriting(source: Source, bytes: Buffer, problems: string[]): void {
  const format = formatOfName(source.format);
  const written = attempt(() => format.write(source, source.documents), problems);
  // A key that repeats in INI, and line ends of an encrypted dotenv file that a check-out converted, are put right.
  const isPutRight = source.repeatedKey !== undefined || /^sops_[^\n]*\r$/m.test(bytes.toString("latin1"));
  if (written !== undefined && !isPutRight && !Buffer.from(written).equals(bytes))
    problems.push("a text without changes is written otherwise");
}

async function checkOperations(
  source: Source,
  bytes: Buffer,
  layout: Layout,
  random: Randomness,
  problems: string[],
): Promise<void> {
  const host = hostWithKeys("age1");
  const format = formatOfName(source.format);
  const choice = {
    input: format,
    output: format,
    layout,
    style: {},
    context: testContext(host),
    ignoreMac: false,
  } as const;
  const policy = { ...policyOf("age1"), selection: random.pick(SELECTIONS), macOnlyEncrypted: random.below(4) === 0 };
  try {
    const encrypted = await encrypt(bytes, { ...choice, policy, strict: false, allowUnencrypted: true });
    const decrypted = Buffer.from(await decrypt(encrypted, choice));
    if (!isRecovered(source, bytes, decrypted, layout, host.warnings))
      problems.push(`another text comes back (${layout}, ${JSON.stringify(policy.selection)})`);
    else if (layout === "keep") await checkChange(format.read(decrypted), encrypted, choice, random, problems);
  } catch (error) {
    problems.push(...problemsOf(error).map((problem) => `${problem} (${layout}, ${JSON.stringify(policy.selection)})`));
    if (error instanceof SopsError && !REFUSALS.has(error.code))
      problems.push(
        `encrypted and not opened again: ${error.message} (${layout}, ${JSON.stringify(policy.selection)})`,
      );
  }
}

/** What `set` may put anywhere; texts come first, as flat formats know nothing else. */
const TEXT_VALUES = 13;
const VALUES: readonly Node[] = [
  ...[
    "",
    "x",
    "two\nlines\n",
    " x\n\ty",
    "\n",
    "# x",
    "a: b",
    "true",
    "<<",
    "\ttab\nb",
    "end \n ",
    "\u{1F600}",
    "a\n\n\n",
  ].map(leaf),
  leaf(null),
  leaf(-1n),
  leaf(1.5),
  leaf(true),
  mapping([]),
  sequence([]),
  mapping([entry("new", leaf("x\ny\n")), entry("list", sequence([leaf("i"), mapping([entry("k", leaf(1n))])]))]),
  sequence([leaf("one\ntwo"), sequence([leaf("x")]), mapping([entry("k", leaf("v"))])]),
];

/** Sets or removes something in an encrypted file; what comes back is the plain tree with that change. */
async function checkChange(
  plain: Source,
  encrypted: Uint8Array,
  choice: FormatChoice & { readonly context: Context; readonly ignoreMac: boolean },
  random: Randomness,
  problems: string[],
): Promise<void> {
  const document = random.below(plain.documents.length);
  const before = plain.documents[document];
  // INI has a section DEFAULT, whether it stands there or not.
  if (before === undefined || (plain.format === "ini" && findEntry(before, "DEFAULT") !== undefined)) return;
  const path = somePath(before, random);
  const isFlat = plain.format === "dotenv" || plain.format === "ini";
  const value = random.pick(isFlat ? VALUES.slice(0, TEXT_VALUES) : VALUES);
  const isSet = random.below(4) > 0;
  const what = `${isSet ? "set" : "unset"} ${JSON.stringify(path)} in document ${String(document)} ${isSet ? JSON.stringify(value, (_k, v: unknown) => (typeof v === "bigint" ? `${String(v)}n` : v)) : ""}`;
  try {
    const after = isSet ? withNodeAt(before, path, value) : withoutNodeAt(before, path);
    const options = { ...choice, document, idempotent: false };
    const changed = isSet ? await set(encrypted, path, value, options) : await unset(encrypted, path, options);
    const result = choice.output.read(await decrypt(changed ?? encrypted, choice));
    const expected = plain.documents.with(document, after);
    if (firstDifference(expected, result.documents, { withComments: false }) !== undefined)
      problems.push(`another tree comes back after ${what}`);
  } catch (error) {
    problems.push(...problemsOf(error).map((problem) => `${problem} (${what})`));
    if (error instanceof SopsError && !CHANGE_REFUSALS.has(error.code))
      problems.push(`${error.code} ${error.message} at ${what}`);
  }
}

/** Why a change may be refused. */
const CHANGE_REFUSALS: ReadonlySet<string> = new Set([
  ...["ERR_EMIT", "ERR_PATH", "ERR_PATH_NOT_FOUND", "ERR_EXTRACT_PATH", "ERR_ENCRYPT_VALUE", "ERR_ALREADY_ENCRYPTED"],
]);

/** The path of something in a document, or of something new. */
function somePath(document: Mapping, random: Randomness): TreePath {
  const path: Component[] = [];
  let node: Node = document;
  for (;;) {
    const items: readonly (Entry | Node)[] =
      node.kind === "leaf" ? [] : node.items.filter((item) => item.kind !== "comment");
    if (node.kind === "leaf") return path;
    const index = random.below(items.length + 1);
    const item = items[index];
    path.push(stepTo(node, item, index));
    if (item === undefined || random.below(3) === 0) return path;
    node = item.kind === "entry" ? item.value : item;
  }
}

/** Why a text that reads may be refused at encryption. */
const REFUSALS: ReadonlySet<string> = new Set([
  "ERR_PARSE",
  "ERR_EMIT",
  "ERR_NO_DOCUMENT",
  "ERR_ALREADY_ENCRYPTED",
  "ERR_ENCRYPT_VALUE",
]);

function stepTo(node: Node, item: Entry | Node | undefined, index: number): Component {
  if (node.kind !== "mapping") return { kind: "index", index };
  const key = item?.kind === "entry" ? item.key : "new key";
  return { kind: "key", key, literal: key };
}

/** Whether a text is itself again; or has the same values, with a warning or as the canonical layout shows them. */
function isRecovered(
  source: Source,
  before: Buffer,
  after: Buffer,
  layout: Layout,
  warnings: readonly string[],
): boolean {
  if (after.equals(before)) return true;
  if (layout === "keep" && !warnings.some((warning) => warning.includes("notation"))) return false;
  const format = formatOfName(source.format);
  // The reference prints the float -0.0 as -0, which is an integer.
  const expected = layout === "keep" ? source.documents : format.read(format.emit(source.documents, {})).documents;
  return firstDifference(expected, format.read(after).documents, { withComments: false }) === undefined;
}
