import { describe, expect, it } from "vitest";
import { formatOfName } from "../../src/formats/registry.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { parseTreePath } from "../../src/document/path.ts";
import { firstDifference } from "../../src/document/compare.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { SELECTION_KINDS } from "../../src/document/selection.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { bench, policyOf } from "../support/operations.ts";
import { fixture } from "../support/vectors.ts";

interface Output {
  readonly args: readonly string[];
  readonly exit: number;
  readonly stdout?: string;
  readonly stdout_base64?: string;
}

interface Case {
  readonly id: string;
  readonly plain: string;
  readonly encrypted: string;
  readonly encrypted_format: FormatName;
  readonly selection: Readonly<Record<string, unknown>>;
  readonly keys: { readonly opened_by: readonly (readonly string[])[] };
  readonly recorded_with: readonly string[];
  readonly outputs: readonly Output[];
}

const { cases } = JSON.parse(fixture("interop/index.json").toString()) as { cases: readonly Case[] };

/** PGP keys need gpg or their exported form: test/servers. */
const withoutPgp = cases.filter(({ recorded_with }) => !recorded_with.some((name) => name.startsWith("pgp")));

const STATUS: Readonly<Record<string, number>> = {
  ERR_EMIT: 4,
  ERR_MAC_MISMATCH: 51,
  ERR_PATH_NOT_FOUND: 1,
  ERR_LOAD: 1,
  ERR_EXTRACT_PATH: 91,
};

interface Result {
  readonly status: number;
  readonly stdout: string;
}

/** One recorded call of a case. */
interface Call {
  readonly case: Case;
  readonly args: readonly string[];
}

/**
 * Where we answer otherwise, and why: the number of an improvement in the list of known defects of the reference, or
 * the place of the format's description that tells writers to. `expected` is all we print.
 */
const DIFFERENCES: readonly {
  readonly cases: RegExp;
  readonly args: RegExp;
  readonly reason: string;
  readonly expected: (call: Call) => Result | Promise<Result>;
}[] = [
  {
    cases: /^(helm-values-list-comments|comments)-yaml/,
    args: /./,
    reason: "I-57, I-58: encrypted comments in lists are no values",
    expected: asFromOurOwnFile,
  },
  {
    cases: /^manifests-yaml/,
    args: /--extract \["metadata"\] /,
    reason: "I-31: an extracted mapping comes without the other documents",
    expected: () => ({ status: 0, stdout: "name: shop\n" }),
  },
  {
    cases: /^unicode-yaml/,
    args: /--output-type dotenv/,
    reason: "a key with a line break does not survive in dotenv",
    expected: () => ({ status: 4, stdout: "" }),
  },
  {
    cases: /^(deep-yaml|ssh-yml)/,
    args: /--output-type ini/,
    reason: "file-format.md 7.6: deeper values are an error",
    expected: () => ({ status: 4, stdout: "" }),
  },
  {
    cases: /-ini--(?!.*-to-json)/,
    args: /^decrypt --extract \["[^"]*"\] /,
    reason: "I-31: a section of an INI file can be extracted",
    expected: sectionOfWhole,
  },
];

/** What the same call prints of a file that we encrypted ourselves: it has the same values, and comments as comments. */
async function asFromOurOwnFile({ case: { plain, encrypted_format, selection }, args }: Call): Promise<Result> {
  const ownBench = bench(encrypted_format, "reference");
  const [rule] = Object.entries(selection).flatMap(([kind, pattern]) =>
    SELECTION_KINDS.filter((name) => name === kind).map((name) => ({ kind: name, pattern: String(pattern) })),
  );
  const policy = { ...policyOf("age1"), selection: rule };
  const ours = await ownBench.encrypt(fixture(`interop/${plain}`).toString(), policy);
  return run(Buffer.from(ours), encrypted_format, args, ownBench.choice.context);
}

/** The lines of a section in what the reference printed of the whole file, with the comment above its header. */
function sectionOfWhole({ case: { outputs }, args }: Call): Result {
  const name = /^\["(.*)"\]$/.exec(args[2] ?? "")?.[1] ?? "";
  const whole = outputs[0] === undefined ? "" : recordedText(outputs[0]);
  const header = name === "DEFAULT" ? 0 : whole.indexOf(`[${name}]\n`);
  const [comment = ""] = /(?<![^\n])(?:;.*\n)*$/.exec(whole.slice(0, header)) ?? [];
  const start = name === "DEFAULT" ? 0 : header + name.length + 3;
  const [lines = ""] = whole.slice(start).split(/\n(?:\n|$)/);
  return { status: 0, stdout: `${comment}${lines}\n` };
}

describe.each(withoutPgp)("$id", (recordedCase) => {
  const { id, encrypted, encrypted_format, recorded_with, outputs } = recordedCase;
  const context = testContext(hostWithKeys(...recorded_with));
  const bytes = fixture(`interop/${encrypted}`);

  it.each(outputs.map((output) => ({ ...output, title: output.args.join(" ") })))("$title", async (output) => {
    const difference = DIFFERENCES.find(({ cases: ids, args }) => ids.test(id) && args.test(output.title));
    const expected = await difference?.expected({ case: recordedCase, args: output.args });
    const recorded = { status: output.exit, stdout: recordedText(output) };
    expect(await run(bytes, encrypted_format, output.args, context), difference?.reason).toEqual(expected ?? recorded);
  });
});

describe("encrypted comments in lists (I-57)", () => {
  const affected = withoutPgp.filter(({ id, outputs: [first] }) => first?.exit === 51 && /comments/.test(id));

  it.each(affected)(
    "$id opens, with the values of the plain file",
    async ({ encrypted, encrypted_format, plain, recorded_with }) => {
      const result = await run(
        fixture(`interop/${encrypted}`),
        encrypted_format,
        ["decrypt"],
        testContext(hostWithKeys(...recorded_with)),
      );
      expect(result.status).toBe(0);
      const format = formatOfName(encrypted_format);
      const before = format.read(fixture(`interop/${plain}`));
      const after = format.read(Buffer.from(result.stdout, "latin1"));
      expect(firstDifference(before.documents, after.documents, { withComments: false })).toBeUndefined();
    },
  );
});

function recordedText(output: Output): string {
  const bytes =
    output.stdout_base64 === undefined ? Buffer.from(output.stdout ?? "") : Buffer.from(output.stdout_base64, "base64");
  return bytes.toString("latin1");
}

async function run(
  bytes: Buffer,
  format: FormatName,
  args: readonly string[],
  context: ReturnType<typeof testContext>,
): Promise<Result> {
  const valueOf = (name: string): string | undefined => {
    const index = args.indexOf(name);
    return index < 0 ? undefined : args[index + 1];
  };
  const extract = valueOf("--extract");
  const input = formatOfName((valueOf("--input-type") as FormatName | undefined) ?? format);
  try {
    const result = await decrypt(bytes, {
      input,
      output: formatOfName((valueOf("--output-type") as FormatName | undefined) ?? format),
      layout: "reference",
      style: {},
      context,
      ignoreMac: args.includes("--ignore-mac"),
      ...(extract === undefined ? {} : { extract: parseTreePath(extract, "ERR_EXTRACT_PATH") }),
    });
    return { status: 0, stdout: Buffer.from(result).toString("latin1") };
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (STATUS[code] === undefined) throw error;
    return { status: STATUS[code], stdout: "" };
  }
}
