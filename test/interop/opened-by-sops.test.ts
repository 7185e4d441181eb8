import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { firstDifference } from "../../src/document/compare.ts";
import { formatOfPath, readPlain } from "../../src/formats/registry.ts";
import type { Layout } from "../../src/operations/context.ts";
import { encrypt } from "../../src/operations/encrypt.ts";
import { rotate } from "../../src/operations/rotate.ts";
import { bench, policyOf } from "../support/operations.ts";
import { decryptWithSops, hasSops, sopsNote } from "../support/reference.ts";
import { fixture } from "../support/vectors.ts";

const names = readdirSync(new URL("../../fixtures/interop/plain/", import.meta.url));
/** The first value that sops itself prints so that it reads as another: it writes -0.0 as -0, the integer 0. */
const LOST_BY_SOPS: Readonly<Record<string, string>> = { "scalars.yaml": "negzero" };

describe.skipIf(!hasSops)(`L-17 files of ours are opened by sops (${sopsNote})`, () => {
  const layouts: readonly Layout[] = ["keep", "reference"];

  it.each(names.flatMap((name) => layouts.map((layout) => ({ name, layout }))))(
    "$name, layout $layout",
    async ({ name, layout }) => {
      const format = formatOfPath(name);
      const { choice } = bench(format.name, layout);
      const plain = fixture(`interop/plain/${name}`);
      const options = { ...choice, policy: policyOf("age1"), strict: false, allowUnencrypted: false };
      const encrypted = await encrypt(plain, options);
      const rotated = await rotate(encrypted, { ...choice, add: [], remove: [], group: 0 });
      const withIntegrity = await encrypt(plain, { ...options, policy: { ...options.policy, integrity: true } });
      for (const bytes of [encrypted, rotated, withIntegrity]) {
        const opened = decryptWithSops(name, bytes);
        expect(opened).toMatchObject({ status: 0 });
        if (format.name === "binary") {
          expect(opened.stdout.equals(plain)).toBe(true);
          continue;
        }
        const before = readPlain(format, plain).documents;
        const after = readPlain(format, opened.stdout).documents;
        expect(firstDifference(before, after, { withComments: false })?.join(".")).toBe(LOST_BY_SOPS[name]);
      }
    },
  );
});
