// P12, P14, P35: commands that succeed and commands that fail in every way print, log and leave behind nothing secret.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";

/** Marks, each in another secret place; found under any of the spellings below, a mark has leaked. */
const MARKS = {
  value: "hunter2-value-canary",
  clear: "hunter2-clear-canary",
  comment: "hunter2-comment-canary",
  argument: "hunter2-argument-canary",
  token: "hunter2-token-canary",
} as const;

const IDENTITY = /AGE-SECRET-KEY-1\w+/.exec(fixture("keys/age1.txt").toString())?.[0] ?? "";
const SECRETS: readonly string[] = [...Object.values(MARKS), IDENTITY];

/** How a secret may be spelled in a message or a file. */
const spellings = SECRETS.flatMap((secret) => {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString("base64").replace(/=+$/, "").slice(0, -1),
    bytes.toString("hex"),
    encodeURIComponent(secret),
  ];
});

const PLAIN = `# ${MARKS.comment}\nword: ${MARKS.value}\nport: 5432\nnote_unencrypted: ${MARKS.clear}\n`;

let box: Sandbox;
let encrypted: string;

beforeAll(async () => {
  box = sandbox(
    {
      ".sops.yaml": `creation_rules:\n  - age: ${AGE1}\n`,
      "plain.yaml": PLAIN,
      "plain.json": JSON.stringify({ word: MARKS.value, list: [1, 2] }),
      "plain.env": `WORD=${MARKS.value}\n`,
      "a.yaml": PLAIN,
      key: fixture("keys/age1.txt"),
      "other-key": fixture("keys/age2.txt"),
    },
    { SOPS_AGE_KEY: IDENTITY, VAULT_TOKEN: MARKS.token, AWS_SECRET_ACCESS_KEY: MARKS.token, AWS_ACCESS_KEY_ID: "AKIA" },
  );
  expect(await box.run("encrypt", "-i", "a.yaml")).toMatchObject({ status: 0 });
  encrypted = box.read("a.yaml");
  const broken: Readonly<Record<string, string>> = {
    "broken.yaml": `a: "${MARKS.value}\nb: c\n`,
    "tabs.yaml": `a:\n\tb: ${MARKS.value}\n`,
    "twice.yaml": `a: ${MARKS.value}\na: 1\n`,
    "alias.yaml": `a: *${MARKS.value}\n`,
    "list.yaml": `- ${MARKS.value}\n`,
    "tag.yaml": `a: !!int ${MARKS.value}\n`,
    "broken.json": `{"a": "${MARKS.value}", }`,
    "after.json": `{"a": 1} ${MARKS.value}`,
    "number.json": `{"a": 1${MARKS.value}}`,
    "broken.env": `${MARKS.value}\n`,
    "broken.ini": `[s]\n${MARKS.value}\n`,
    "marked.yaml": `word: ${MARKS.value}\nsops: {}\n`,
    "cell.yaml": encrypted.replace(/^word: .*$/m, `word: ${MARKS.value}`),
    "shape.yaml": encrypted.replace(/^word: .*$/m, `word: {a: ${MARKS.value}}`),
    "mac.yaml": encrypted.replace(/mac: .*/, `mac: ${MARKS.value}`),
    "clear.yaml": encrypted.replace(MARKS.clear, `${MARKS.clear}-changed`),
    "date.yaml": encrypted.replace(/lastmodified: .*/, `lastmodified: ${MARKS.value}`),
    "threshold.yaml": encrypted.replace(/^sops:/m, `sops:\n    shamir_threshold: ${MARKS.value}`),
    "pattern.yaml": encrypted.replace(/unencrypted_suffix: .*/, "unencrypted_regex: ("),
    "vault.yaml": encrypted.replace(
      /^ *age:\n( {8}.*\n)*/m,
      `    hc_vault:\n        - vault_address: http://127.0.0.1:1\n          engine_path: transit\n          key_name: k\n          created_at: "2026-01-01T00:00:00Z"\n          enc: vault:v1:AAAA\n`,
    ),
    "aws.yaml": encrypted.replace(
      /^ *age:\n( {8}.*\n)*/m,
      `    kms:\n        - arn: arn:aws:kms:us-east-1:111111111111:key/x\n          created_at: "2026-01-01T00:00:00Z"\n          enc: AAAA\n`,
    ),
  };
  for (const [name, text] of Object.entries(broken)) box.write(name, text);
});

afterAll(() => {
  box.remove();
});

/** One command line, and which marks may stand on its standard output. */
interface Line {
  readonly argv: readonly string[];
  readonly shows?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
}

const files = ["broken.yaml", "tabs.yaml", "twice.yaml", "alias.yaml", "list.yaml", "tag.yaml", "broken.json"];
const moreFiles = ["after.json", "number.json", "broken.env", "broken.ini", "marked.yaml"];
const tampered = [
  ...["cell.yaml", "shape.yaml", "mac.yaml", "clear.yaml", "date.yaml", "threshold.yaml", "pattern.yaml"],
  ...["vault.yaml", "aws.yaml"],
];
const all = [MARKS.value, MARKS.clear, MARKS.comment];
const quick = { LEAFCRYPT_TIMEOUT: "1", AWS_EC2_METADATA_DISABLED: "true" };

const lines: readonly Line[] = [
  { argv: ["encrypt", "plain.yaml"], shows: [MARKS.clear] },
  { argv: ["encrypt", "plain.json"] },
  { argv: ["encrypt", "plain.env"] },
  { argv: ["encrypt", "--output", "out.enc.json", "plain.json"] },
  { argv: ["decrypt", "a.yaml"], shows: all },
  { argv: ["decrypt", "--extract", '["word"]', "a.yaml"], shows: [MARKS.value] },
  { argv: ["decrypt", "--extract", '["none"]', "a.yaml"] },
  { argv: ["decrypt", "--extract", '["word"]["x"]', "a.yaml"] },
  { argv: ["decrypt", "--output-type", "ini", "a.yaml"], shows: all },
  { argv: ["decrypt", "--output", "no/such/folder", "a.yaml"] },
  { argv: ["decrypt", "a.yaml"], env: { SOPS_AGE_KEY: undefined } },
  { argv: ["decrypt", "a.yaml"], env: { SOPS_AGE_KEY: `${IDENTITY.slice(0, -1)}Q` } },
  { argv: ["decrypt", "a.yaml"], env: { SOPS_AGE_KEY: MARKS.token } },
  { argv: ["decrypt", "a.yaml"], env: { SOPS_AGE_KEY: undefined, SOPS_AGE_KEY_FILE: "plain.yaml" } },
  { argv: ["decrypt", "a.yaml"], env: { SOPS_AGE_KEY: undefined, SOPS_AGE_KEY_CMD: `echo ${MARKS.token}` } },
  { argv: ["decrypt", "a.yaml"], env: { SOPS_AGE_KEY: undefined, SOPS_AGE_KEY_FILE: "other-key" } },
  { argv: ["set", "a.yaml", '["word"]', `"${MARKS.argument}"`] },
  { argv: ["set", "a.yaml", '["word"]', MARKS.argument] },
  { argv: ["set", "a.yaml", '["word"][7]', `"${MARKS.argument}"`] },
  { argv: ["set", "--value-stdin", "a.yaml", '["word"]'], input: MARKS.argument },
  { argv: ["set", "--value-file", "a.yaml", '["word"]', "broken.yaml"] },
  { argv: ["set", "a.yaml", '["sops"]', `"${MARKS.argument}"`] },
  { argv: ["--set", `["word"] ${MARKS.argument}`, "a.yaml"] },
  { argv: ["unset", "a.yaml", '["none"]'] },
  { argv: ["rotate", "-i", "a.yaml"] },
  { argv: ["rotate", "-i", "--rm-age", AGE1, "a.yaml"] },
  { argv: ["updatekeys", "-y", "a.yaml"] },
  { argv: ["groups", "add", "-i", "-f", "a.yaml", "--age", AGE1] },
  { argv: ["edit", "a.yaml"], env: { EDITOR: "false" } },
  { argv: ["edit", "a.yaml"], env: { EDITOR: "true" } },
  { argv: ["edit", "a.yaml"], env: { EDITOR: `sh -c 'echo "x: [${MARKS.argument}" >> "$0"'` } },
  { argv: ["edit", "a.yaml"], env: { EDITOR: `sh -c 'echo "y: ${MARKS.argument}" >> "$0"'` } },
  { argv: ["exec-env", "a.yaml", "true"] },
  { argv: ["exec-file", "a.yaml", "cat {} >/dev/null"] },
  { argv: ["filestatus", "a.yaml"] },
  ...[...files, ...moreFiles].map((file) => ({ argv: ["encrypt", "-i", file] })),
  ...[...files, ...moreFiles].map((file) => ({ argv: ["decrypt", file] })),
  ...tampered.map((file) => ({ argv: ["decrypt", file], env: quick })),
  ...tampered.map((file) => ({ argv: ["rotate", "-i", file], env: quick })),
  { argv: ["decrypt", "--ignore-mac", "clear.yaml"], shows: all },
];

function leaksIn(text: string, allowed: readonly string[] = []): readonly string[] {
  return spellings.filter((spelling) => text.includes(spelling) && !allowed.includes(spelling));
}

/** Everything below the box: home and temporary folder, too. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesBelow(join(folder, entry.name)) : entry.isFile() ? [join(folder, entry.name)] : [],
  );
}

async function run(program: string, { argv, env, input }: Line, extra: readonly string[] = []): Promise<RunResult> {
  return box.start([program, ...argv, ...extra], {
    ...(env === undefined ? {} : { env }),
    ...(input === undefined ? {} : { input }),
  });
}

describe.each(["leafcrypt", "sops"])("as %s", (program) => {
  it.each(lines.map((line) => ({ ...line, title: line.argv.join(" ") })))("$title", async (line) => {
    const before = new Map(filesBelow(dirname(box.dir)).map((path) => [path, statSync(path).mtimeMs]));
    const isLegacy = line.argv[0] === "--set";
    for (const extra of [[], ...(isLegacy || line.argv.includes("filestatus") ? [] : [["--verbose"]])]) {
      box.write("a.yaml", encrypted);
      const result = await run(program, line, line.argv[0]?.startsWith("exec") === true ? [] : extra);
      expect(leaksIn(result.stderr), result.stderr).toEqual([]);
      expect(leaksIn(result.stdout, line.shows), result.stdout).toEqual([]);
      expect(result.stderr).not.toMatch(/^ {4}at |internal error/m);
      expect(result.isTimedOut).toBe(false);
    }
    const touched = filesBelow(dirname(box.dir)).filter((path) => statSync(path).mtimeMs !== before.get(path));
    for (const path of touched.filter((name) => !name.endsWith("/stdin"))) {
      expect(leaksIn(readFileSync(path, "latin1"), [MARKS.clear]), path).toEqual([]);
    }
  });

  it("leaves nothing in memory's folder", () => {
    if (!existsSync("/dev/shm")) return;
    const folders = readdirSync("/dev/shm").filter((name) => name.startsWith("leafcrypt-"));
    const marked = folders
      .flatMap((name) => filesBelow(join("/dev/shm", name)))
      .filter((path) => statSync(path).size < 1024 * 1024); // ours are small; other suites leave larger ones
    for (const path of marked) expect(leaksIn(readFileSync(path, "latin1")), path).toEqual([]);
  });
});
