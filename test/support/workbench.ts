import type { KeyObject } from "node:crypto";
import { importDataKey } from "../../src/bytes/aes-gcm.ts";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import type { SelectionRule } from "../../src/document/selection.ts";
import { SopsError } from "../../src/errors.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { formatOfName } from "../../src/formats/registry.ts";
import { age } from "../../src/keys/age.ts";
import type { Context, FormatChoice } from "../../src/operations/context.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { loadFile, recoverFileKey } from "../../src/operations/encrypted-file.ts";
import { rotate } from "../../src/operations/rotate.ts";
import { hostWithKeys, testContext, type TestHost } from "./host.ts";

/** Stands in every value of the tests; no message may hold it. */
export const CANARY = "hunter2-canary";

/** The recipient of `fixtures/keys/age1.txt`. */
export const AGE1 = "age1fswm9y3sdssll6e0vf46n2xgwskrzhp877qlrcdjx2tu9wwlavsqae7egm";

/** How an operation ended, in the terms of the program. */
export interface Outcome {
  /** Exit status: 0, or that of the error. */
  readonly status: number;
  /** What was produced, empty on failure. */
  readonly text: string;
  /** The message and hint of the error. */
  readonly message: string;
  readonly warnings: readonly string[];
}

/** Operations on texts in memory, with the key `age1` at hand. */
export interface Workbench {
  readonly host: TestHost;
  readonly context: Context;
  choice(input: FormatName, output?: FormatName): FormatChoice;
  encrypt(format: FormatName, text: string | Uint8Array, policy?: WorkbenchPolicy): Promise<Outcome>;
  decrypt(format: FormatName, text: string | Uint8Array, options?: DecryptChoice): Promise<Outcome>;
  rotate(format: FormatName, text: string): Promise<Outcome>;
  /** The data key of an encrypted text. */
  keyOf(format: FormatName, text: string): Promise<KeyObject>;
}

/** What `Workbench.encrypt` is told beside the text. */
export interface WorkbenchPolicy {
  readonly selection?: SelectionRule;
  readonly macOnlyEncrypted?: boolean;
  readonly output?: FormatName;
}

/** What `Workbench.decrypt` is told beside the text. */
export interface DecryptChoice {
  readonly ignoreMac?: boolean;
  readonly output?: FormatName;
}

/**
 * Makes a workbench.
 *
 * Its operations end in an `Outcome`; an error that is none of ours is a defect, and thrown.
 */
export function workbench(): Workbench {
  const host = hostWithKeys("age1");
  const context = testContext(host);
  const choice = (input: FormatName, output = input): FormatChoice => ({
    input: formatOfName(input),
    output: formatOfName(output),
    layout: "keep",
    style: {},
  });
  return {
    host,
    context,
    choice,
    encrypt: (format, text, { selection, macOnlyEncrypted = false, output } = {}) =>
      outcomeOf(host, () =>
        encrypt(Buffer.from(text), {
          ...choice(format, output ?? format),
          policy: { keyGroups: [age.parse(AGE1, {})], shamirThreshold: 0, selection, macOnlyEncrypted },
          context,
          strict: false,
          allowUnencrypted: true,
        }),
      ),
    decrypt: (format, text, { ignoreMac = false, output } = {}) =>
      outcomeOf(host, () => decrypt(Buffer.from(text), { ...choice(format, output ?? format), context, ignoreMac })),
    rotate: (format, text) =>
      outcomeOf(host, () =>
        rotate(Buffer.from(text), { ...choice(format), context, ignoreMac: false, add: [], remove: [], group: 0 }),
      ),
    async keyOf(format, text) {
      const file = loadFile(Buffer.from(text), formatOfName(format), context);
      return importDataKey(await recoverFileKey(file, context));
    },
  };
}

/** Runs an operation and tells how it ended. @throws whatever is thrown that is no SopsError */
export async function outcomeOf(host: TestHost, operation: () => Promise<Uint8Array | undefined>): Promise<Outcome> {
  const known = host.warnings.length;
  try {
    const bytes = await operation();
    const text = Buffer.from(bytes ?? []).toString();
    return { status: 0, text, message: "", warnings: host.warnings.slice(known) };
  } catch (error) {
    if (!(error instanceof SopsError)) throw error;
    const message = `${error.message}\n${error.hint ?? ""}`;
    return { status: exitCodes[error.code], text: "", message, warnings: host.warnings.slice(known) };
  }
}
