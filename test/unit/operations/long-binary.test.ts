import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { LONG_VALUE } from "../../../src/document/long-cell.ts";
import { leaf } from "../../../src/document/model.ts";
import { parseTreePath } from "../../../src/document/path.ts";
import { formatOfName } from "../../../src/formats/registry.ts";
import { decrypt } from "../../../src/operations/decrypt.ts";
import { encrypt } from "../../../src/operations/encrypt.ts";
import { rotate } from "../../../src/operations/rotate.ts";
import { set } from "../../../src/operations/set.ts";
import { bench, policyOf } from "../../support/operations.ts";

const CELL_START = '"data": "ENC[AES256_GCM,data:';
const data = parseTreePath('["data"]', "ERR_PATH");

const contents: readonly { name: string; plain: Buffer }[] = [
  { name: "random bytes", plain: randomBytes(LONG_VALUE + 1) },
  { name: "text", plain: Buffer.from('grün 🔑 "quoted"\n'.repeat(LONG_VALUE / 16)) },
  {
    name: "what looks like a cell and more",
    plain: Buffer.from(`{"data": "ENC[AES256_GCM,data:${'A"'.repeat(LONG_VALUE)}`),
  },
  { name: "one byte less than is long", plain: randomBytes(LONG_VALUE - 1) },
  { name: "one that is long", plain: randomBytes(LONG_VALUE) },
];

describe.each(["keep", "reference"] as const)("long binary files, layout %s", (layout) => {
  const at = bench("binary", layout);
  const seal = (plain: Uint8Array): Promise<Uint8Array> =>
    encrypt(plain, { ...at.choice, policy: policyOf("age1"), strict: false, allowUnencrypted: false });

  it.each(contents)("come back: $name", async ({ plain }) => {
    const sealed = Buffer.from(await seal(plain));
    expect(sealed.toString("latin1")).toContain(CELL_START);
    expect(() => JSON.parse(sealed.toString()) as unknown).not.toThrow();
    expect(plain.equals(await decrypt(sealed, at.choice))).toBe(true);
  });

  it.each(contents)("come back after rotation, in a new cell: $name", async ({ plain }) => {
    const before = Buffer.from(await seal(plain));
    const after = Buffer.from(await rotate(before, { ...at.choice, add: [], remove: [], group: 0 }));
    expect(after.equals(before)).toBe(false);
    expect(plain.equals(await decrypt(after, at.choice))).toBe(true);
  });

  it("are refused when a byte of the cell was changed", async () => {
    const sealed = Buffer.from(await seal(randomBytes(LONG_VALUE)));
    const at64 = sealed.indexOf(CELL_START) + CELL_START.length + 100;
    sealed[at64] = sealed[at64] === 0x41 ? 0x42 : 0x41;
    await expect(decrypt(sealed, at.choice)).rejects.toMatchObject({ code: "ERR_DECRYPT_VALUE" });
    sealed[at64] = 0x3a;
    await expect(decrypt(sealed, at.choice)).rejects.toMatchObject({ code: "ERR_DECRYPT_VALUE" });
  });

  it("become short, and short ones long", async () => {
    const long = "x".repeat(LONG_VALUE + 5);
    for (const [before, after] of [
      [long, "short"],
      ["short", long],
      [long, `${long}y`],
    ] as const) {
      const sealed = await seal(Buffer.from(before));
      const changed = await set(sealed, data, leaf(after), { ...at.choice, idempotent: false });
      expect(Buffer.from(await decrypt(changed ?? sealed, at.choice)).toString() === after).toBe(true);
    }
  });
});

it("text of a long binary file is text in other formats", async () => {
  const at = bench("binary");
  const text = "grün ".repeat(LONG_VALUE / 4);
  const sealed = await encrypt(Buffer.from(text), {
    ...at.choice,
    ...{ policy: policyOf("age1"), strict: false, allowUnencrypted: false },
  });
  const json = await decrypt(sealed, { ...at.choice, output: formatOfName("json") });
  expect((JSON.parse(Buffer.from(json).toString()) as { data: string }).data === text).toBe(true);
  const yaml = await decrypt(sealed, { ...at.choice, output: formatOfName("yaml") });
  expect(Buffer.from(yaml).toString()).toMatch(/^data: '?gr/);
});
