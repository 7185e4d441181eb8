import { describe, expect, it } from "vitest";
import { formatOfName } from "../../src/formats/registry.ts";
import type { FormatName } from "../../src/formats/format.ts";
import { decrypt } from "../../src/operations/decrypt.ts";
import { testContext, testHost } from "../support/host.ts";
import { vectors } from "../support/vectors.ts";

interface FileVector {
  readonly id: string;
  readonly format: FormatName;
  readonly encrypted: string;
  readonly expect: "ok" | "mac_mismatch" | "mac_missing" | "decrypt_error";
  readonly decrypted?: string;
  readonly decrypted_base64?: string;
  readonly decrypted_if_mac_check_disabled?: string;
}

const ages = (vectors("test_keys") as { age: { identity: string }[] }).age.map(({ identity }) => identity);
const context = testContext(testHost({ HOME: "/home/test", SOPS_AGE_KEY: ages.join("\n") }));
const codes = { mac_mismatch: "ERR_MAC_MISMATCH", mac_missing: "ERR_MAC_MISMATCH", decrypt_error: "ERR_DECRYPT_VALUE" };

/** Files that only an OpenPGP key opens; they are covered where gpg is there (test/servers). */
const NEEDS_PGP = ["yaml-pgp", "yaml-shamir-age-pgp", "yaml-old-layout", "yaml-python-era"];

describe("L-18 whole files of every version (format-vectors.json, files)", () => {
  const files = (vectors("files") as FileVector[]).filter(({ id }) => !NEEDS_PGP.includes(id));

  it.each(files)("$id", async (file) => {
    const format = formatOfName(file.format);
    const options = { input: format, output: format, layout: "reference", style: {}, context } as const;
    const bytes = Buffer.from(file.encrypted);
    if (file.expect === "ok") {
      const plain =
        file.decrypted_base64 === undefined ? file.decrypted : Buffer.from(file.decrypted_base64, "base64").toString();
      expect(Buffer.from(await decrypt(bytes, { ...options, ignoreMac: false })).toString()).toBe(plain);
      return;
    }
    await expect(decrypt(bytes, { ...options, ignoreMac: false })).rejects.toMatchObject({ code: codes[file.expect] });
    if (file.decrypted_if_mac_check_disabled === undefined) return;
    const plain = await decrypt(bytes, { ...options, ignoreMac: true });
    expect(Buffer.from(plain).toString()).toBe(file.decrypted_if_mac_check_disabled);
  });
});
