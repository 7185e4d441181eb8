import { describe, expect, it } from "vitest";
import type { FormatName } from "../../src/formats/format.ts";
import { formatOfName } from "../../src/formats/registry.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { SopsError, type ErrorCode } from "../../src/errors.ts";
import { hostWithKeys, testContext } from "../support/host.ts";
import { fixture } from "../support/vectors.ts";

interface Case {
  readonly id: string;
  readonly format: FormatName;
  readonly text: string;
  readonly opened_by: readonly string[];
  readonly exit: number;
  readonly stdout: string;
}

interface Result {
  readonly status: number;
  readonly stdout: string;
}

const { cases } = JSON.parse(fixture("interop/relaid.json").toString()) as { cases: readonly Case[] };

const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  ERR_LOAD: 1,
  ERR_METADATA_MISSING: 1,
  ERR_DECRYPT_VALUE: 25,
  ERR_MAC_MISMATCH: 51,
  ERR_DATA_KEY: 128,
};

async function decryptCase({ format: name, text, opened_by }: Case): Promise<Result> {
  const format = formatOfName(name);
  const context = testContext(hostWithKeys(...opened_by));
  const choice = { input: format, output: format, layout: "reference", style: {}, context } as const;
  try {
    const bytes = await decrypt(Buffer.from(text), { ...choice, ignoreMac: false });
    return { status: 0, stdout: Buffer.from(bytes).toString() };
  } catch (error) {
    const status = error instanceof SopsError ? STATUS[error.code] : undefined;
    if (status === undefined) throw error;
    return { status, stdout: "" };
  }
}

/** What we open, or refuse, and the reference does not, and why. Everything else is the same, byte for byte. */
const DIFFERENCES: Readonly<Record<string, { readonly reason: string; readonly result: Result }>> = {
  "yaml-encrypted-comment-regex-as-sops-writes-it": {
    reason: "I-57, file-format.md 4: a comment stored as a list item is no value, and not part of the MAC",
    result: { status: 0, stdout: "l:\n    # enc-here\n    # second\n    - 7\n    - 8\n" },
  },
  "json-trailing-junk": {
    reason: "file-format.md 7.3: text after the top-level object is lost by the reference, and refused here",
    result: { status: 1, stdout: "" },
  },
  "yaml-enc-blanks-around": {
    reason: "file-format.md 6.4: blanks around an armored key may be accepted",
    result: { status: 0, stdout: "a: x\n" },
  },
};

describe("encrypted files that were laid out again by hand, or whose cells were made by hand", () => {
  it.each(cases.filter(({ id }) => DIFFERENCES[id] === undefined))("$id", async (given) => {
    expect(await decryptCase(given)).toEqual({ status: given.exit, stdout: given.stdout });
  });

  it.each(cases.filter(({ id }) => DIFFERENCES[id] !== undefined))("$id: answered otherwise", async (given) => {
    const difference = DIFFERENCES[given.id];
    expect(await decryptCase(given), difference?.reason).toEqual(difference?.result);
    expect(difference?.result).not.toEqual({ status: given.exit, stdout: given.stdout });
  });

  it("has no differences that are no cases", () => {
    const ids = new Set(cases.map(({ id }) => id));
    expect(Object.keys(DIFFERENCES).filter((id) => !ids.has(id))).toEqual([]);
  });
});
