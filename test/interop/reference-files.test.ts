import { describe, expect, it } from "vitest";
import { formatOfName } from "../../src/formats/registry.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { parseTreePath } from "../../src/document/path.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { fixture } from "../support/vectors.ts";

interface Output {
  readonly args: readonly string[];
  readonly exit: number;
  readonly stdout?: string;
  readonly stdout_base64?: string;
}

interface Case {
  readonly id: string;
  readonly encrypted: string;
  readonly encrypted_format: FormatName;
  readonly keys: { readonly opened_by: readonly (readonly string[])[] };
  readonly recorded_with: readonly string[];
  readonly outputs: readonly Output[];
}

const { cases } = JSON.parse(fixture("interop/index.json").toString()) as { cases: readonly Case[] };

/** PGP keys need gpg or their exported form: test/servers. */
const withoutPgp = cases.filter(({ recorded_with }) => !recorded_with.some((name) => name.startsWith("pgp")));

const STATUS: Readonly<Record<string, number>> = { ERR_EMIT: 4, ERR_MAC_MISMATCH: 51, ERR_PATH_NOT_FOUND: 1, ERR_LOAD: 1, ERR_EXTRACT_PATH: 91 };

describe.each(withoutPgp)("$id", ({ encrypted, encrypted_format, recorded_with, outputs }) => {
  const context = testContext(hostWithKeys(...recorded_with));
  const bytes = fixture(`interop/${encrypted}`);

  it.each(outputs)("$args", async (output) => {
    const result = await run(bytes, encrypted_format, output.args, context);
    expect(result).toEqual(expectedOf(output));
  });
});

/** Encrypted comments in lists: 3.13.2 refuses its own files (51), we open them (I-57). What it printed without the MAC check is the same. */
function expectedOf(output: Output): { status: number; stdout: string } {
  const stdout = output.stdout_base64 === undefined ? (output.stdout ?? "") : Buffer.from(output.stdout_base64, "base64").toString("latin1");
  return { status: output.exit, stdout: output.stdout_base64 === undefined ? Buffer.from(stdout).toString("latin1") : stdout };
}

async function run(bytes: Buffer, format: FormatName, args: readonly string[], context: ReturnType<typeof testContext>) {
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
