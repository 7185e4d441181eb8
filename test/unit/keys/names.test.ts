import { describe, expect, it } from "vitest";
import { KeyError } from "../../../src/errors.ts";
import { awsKms, sessionName } from "../../../src/keys/aws-kms.ts";
import { azureKeyVault } from "../../../src/keys/azure-key-vault.ts";
import type { KeyBackend, KeyDefaults, KeyRecord } from "../../../src/keys/backend.ts";
import { gcpKms } from "../../../src/keys/gcp-kms.ts";
import { huaweiKms } from "../../../src/keys/huawei-kms.ts";
import { pgp } from "../../../src/keys/pgp.ts";
import { vaultTransit } from "../../../src/keys/vault-transit.ts";

const ARN = "arn:aws:kms:eu-west-1:123456789012:key/k";
const ROLE = "arn:aws:iam::123456789012:role/sops";
const FP = "B37988B07756DC2130717976ED140D0F6B9AC926";
const GCP = "projects/p/locations/l/keyRings/r/cryptoKeys/k";

interface Named {
  readonly backend: KeyBackend;
  readonly text: string;
  readonly defaults?: KeyDefaults;
  readonly id: string;
  readonly record: KeyRecord;
}

const named: Named[] = [
  { backend: awsKms, text: ARN, id: ARN, record: { arn: ARN, aws_profile: "" } },
  {
    backend: awsKms,
    text: ` ${ARN} + ${ROLE}`,
    id: `${ARN}+${ROLE}`,
    record: { arn: ARN, role: ROLE, aws_profile: "" },
  },
  {
    backend: awsKms,
    text: ARN,
    defaults: { encryptionContext: { b: "2", a: "1" } },
    id: `${ARN}|a:1,b:2`,
    record: { arn: ARN, context: { a: "1", b: "2" }, aws_profile: "" },
  },
  {
    backend: awsKms,
    text: ARN,
    defaults: { awsProfile: "p" },
    id: `${ARN}||p`,
    record: { arn: ARN, aws_profile: "p" },
  },
  {
    backend: awsKms,
    text: `${ARN}+${ROLE}`,
    defaults: { awsProfile: "p", encryptionContext: { a: "1" } },
    id: `${ARN}+${ROLE}|a:1|p`,
    record: { arn: ARN, role: ROLE, context: { a: "1" }, aws_profile: "p" },
  },
  { backend: awsKms, text: "foo", id: "foo", record: { arn: "foo", aws_profile: "" } },
  { backend: gcpKms, text: ` projects/p/ locations/l/keyRings/r/cryptoKeys/k`, id: GCP, record: { resource_id: GCP } },
  { backend: huaweiKms, text: " r:u:v ", id: "r:u:v", record: { key_id: "r:u:v" } },
  {
    backend: azureKeyVault,
    text: "https://v.vault.azure.net/keys/n/1",
    id: "https://v.vault.azure.net/keys/n/1",
    record: { vault_url: "https://v.vault.azure.net", name: "n", version: "1" },
  },
  {
    backend: azureKeyVault,
    text: "https://v.vault.azure.net/keys/n",
    id: "https://v.vault.azure.net/keys/n/",
    record: { vault_url: "https://v.vault.azure.net", name: "n", version: "" },
  },
  {
    backend: vaultTransit,
    text: "https://vault.test:8200/v1/transit/keys/k",
    id: "https://vault.test:8200/v1/transit/keys/k",
    record: { vault_address: "https://vault.test:8200", engine_path: "transit", key_name: "k" },
  },
  {
    backend: vaultTransit,
    text: "https://vault.test/v2/team/v1/sops/keys/k",
    id: "https://vault.test/v1/team/v1/sops/keys/k",
    record: { vault_address: "https://vault.test", engine_path: "team/v1/sops", key_name: "k" },
  },
  { backend: pgp, text: FP, id: FP, record: { fp: FP } },
  { backend: pgp, text: "b379 88b0 7756 dc21 3071 7976 ed14 0d0f 6b9a c926", id: FP, record: { fp: FP.toLowerCase() } },
  { backend: pgp, text: `${FP}!`, id: `${FP}!`, record: { fp: `${FP}!` } },
  { backend: pgp, text: "someone", id: "someone", record: { fp: "someone" } },
];

describe("names of keys", () => {
  it.each(named)("reads $backend.type $text", ({ backend, text, defaults = {}, id, record }) => {
    const keys = backend.parse(text, defaults);
    expect(keys.map((key) => [key.type, key.id, key.toRecord()])).toEqual([[backend.type, id, record]]);
  });

  it.each(named)("reads the metadata of $backend.type $id back", ({ backend, id, record }) => {
    const key = backend.fromRecord({ ...record, enc: "x", created_at: "2020-01-01T00:00:00Z" });
    expect([key.id, key.toRecord()]).toEqual([id, record]);
  });

  it.each(named.map(({ backend, text, defaults }) => ({ backend, text, defaults: defaults ?? {} })))(
    "drops what is empty in a list of $backend.type",
    ({ backend, text, defaults }) => {
      expect(backend.parse(`,${text}, ,${text},`, defaults)).toHaveLength(2);
      expect(backend.parse("", defaults)).toEqual([]);
    },
  );
});

describe("keys of a key group", () => {
  it.each([
    { backend: awsKms, item: ARN, ids: [ARN] },
    { backend: awsKms, item: `${ARN}+${ROLE}`, ids: [`${ARN}+${ROLE}`] },
    {
      backend: awsKms,
      item: { arn: ARN, role: ROLE, context: { b: "2", a: "1" }, aws_profile: "p" },
      ids: [`${ARN}+${ROLE}|a:1,b:2|p`],
    },
    { backend: awsKms, item: { arn: ARN, role: null, context: null }, ids: [ARN] },
    { backend: gcpKms, item: GCP, ids: [GCP] },
    { backend: gcpKms, item: { resource_id: GCP }, ids: [GCP] },
    { backend: huaweiKms, item: "r:u", ids: ["r:u"] },
    { backend: huaweiKms, item: { key_id: "r:u" }, ids: ["r:u"] },
    {
      backend: azureKeyVault,
      item: { vaultUrl: "https://v.vault.azure.net", key: "n", version: "1" },
      ids: ["https://v.vault.azure.net/keys/n/1"],
    },
    {
      backend: azureKeyVault,
      item: { vaultUrl: "https://v.vault.azure.net", key: "n" },
      ids: ["https://v.vault.azure.net/keys/n/"],
    },
    { backend: azureKeyVault, item: "https://v.vault.azure.net/keys/n/1", ids: ["https://v.vault.azure.net/keys/n/1"] },
    { backend: vaultTransit, item: "https://a/v1/t/keys/k", ids: ["https://a/v1/t/keys/k"] },
    { backend: pgp, item: FP, ids: [FP] },
    { backend: pgp, item: `${FP},${FP}!`, ids: [FP, `${FP}!`] },
  ])("reads $item", ({ backend, item, ids }) => {
    expect(backend.fromGroupEntry(item).map(({ id }) => id)).toEqual(ids);
  });

  const backends = [awsKms, gcpKms, huaweiKms, azureKeyVault, vaultTransit, pgp];
  it.each(backends.flatMap((backend) => [7, null, true, ["x"]].map((item) => ({ backend, item }))))(
    "refuses $item as a key of $backend.type",
    ({ backend, item }) => {
      expect(() => backend.fromGroupEntry(item)).toThrow(KeyError);
    },
  );

  it.each([
    { backend: awsKms, item: { arn: ARN, context: { a: 1 } } },
    { backend: awsKms, item: { arn: 7 } },
    { backend: azureKeyVault, item: { key: "n" } },
  ])("refuses $item", ({ backend, item }) => {
    expect(() => backend.fromGroupEntry(item)).toThrow(KeyError);
  });
});

describe("what is no key", () => {
  it.each([
    {
      backend: azureKeyVault,
      text: "http://x/keys/n",
      message: 'could not parse "http://x/keys/n" into a valid Azure Key Vault MasterKey []',
    },
    {
      backend: azureKeyVault,
      text: "https://x/secrets/n",
      message: 'could not parse "https://x/secrets/n" into a valid Azure Key Vault MasterKey []',
    },
    {
      backend: vaultTransit,
      text: "127.0.0.1/v1/transit/keys/k",
      message:
        "missing scheme in Vault URL (should be like this: +https://vault.example.com:8200/v1/transit/keys/keyName), got: 127.0.0.1/v1/transit/keys/k",
    },
    {
      backend: vaultTransit,
      text: "http://127.0.0.1/v1/keys/k",
      message:
        "vault path does not seem to be formatted correctly: (eg. https://vault.example.com:8200/v1/transit/keys/keyName)",
    },
    {
      backend: vaultTransit,
      text: "http://127.0.0.1/p/v1/transit/keys/k",
      message:
        "running Vault with a prefixed URL is not supported! (Format has to be like https://vault.example.com:8200/v1/transit/keys/keyName)",
    },
    { backend: huaweiKms, text: "x", message: "invalid key ID format: expected 'region:key-uuid', got \"x\"" },
    { backend: huaweiKms, text: ":u", message: 'region cannot be empty in key ID: ":u"' },
    { backend: huaweiKms, text: "r:", message: 'key UUID cannot be empty in key ID: "r:"' },
  ])("$text: $message", ({ backend, text, message }) => {
    expect(() => backend.parse(text, {})).toThrow(message);
  });

  it.each([
    "https://a/v1/t/../sys/keys/k",
    "https://a/v1/t/keys/..",
    "https://a/v1/t/keys/%2e%2e",
    "https://a/v1/t/keys/a?b",
    "https://a/v1/t/keys/a#b",
    "https://a/v1/t/keys/a b",
    "https://a/v1/transit/other/k",
  ])("takes no part of %s for the name of a Vault key", (text) => {
    expect(() => vaultTransit.parse(text, {})).toThrow(KeyError);
  });

  it("escapes what a terminal would act on", () => {
    expect(() => huaweiKms.parse("\u001b[31mx", {})).toThrow(/got "\\u001b\[31mx"/);
  });
});

it.each([
  ["my-host", "sops@myhost"],
  ["a.b_c=d,e@f", "sops@a.b_c=d,e@f"],
  ["x".repeat(100), `sops@${"x".repeat(59)}`],
  ["höst name", "sops@hstname"],
])("names the session of %s", (host, session) => {
  expect(sessionName(host)).toBe(session);
});
