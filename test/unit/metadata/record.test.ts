import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { comment, entry, leaf, mapping, sequence, type Mapping, type Node } from "../../../src/document/model.ts";
import { SopsError, type ErrorCode } from "../../../src/errors.ts";
import { formatOfName, formatOfPath, readPlain } from "../../../src/formats/registry.ts";
import { keyBackends } from "../../../src/keys/registry.ts";
import { flatten } from "../../../src/metadata/flatten.ts";
import { putMetadata, takeMetadata } from "../../../src/metadata/place.ts";
import { metadataFromTree, metadataToTree } from "../../../src/metadata/record.ts";
import { isEncrypted, type Metadata } from "../../../src/metadata/type.ts";
import { fakeBackends } from "./fake-backends.ts";
import { dataOf, treeOf } from "./trees.ts";

const TIME = "2024-01-02T03:04:05Z";
const AGE = { enc: "A", recipient: "age1abc" };
const PGP = { created_at: TIME, enc: "P", fp: "FBC7" };
const KMS = { arn: "arn:x", aws_profile: "", created_at: TIME, enc: "K" };
const BASE = { age: [AGE], lastmodified: TIME, mac: "ENC[x]", version: "3.13.2" };

const read = (data: unknown): Metadata => metadataFromTree(treeOf(data), fakeBackends);
const write = (metadata: Metadata): unknown => dataOf(metadataToTree(metadata));
const ids = (metadata: Metadata): string[][] => metadata.groups.map((group) => group.map(({ key }) => key.id));

function failure(data: unknown): { code: ErrorCode; message: string } {
  try {
    read(data);
  } catch (error) {
    if (error instanceof SopsError) return { code: error.code, message: error.message };
  }
  throw new Error("a SopsError was expected");
}

function without(...names: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(BASE).filter(([name]) => !names.includes(name)));
}

interface EmissionCase {
  readonly metadata: string;
  readonly format: "yaml" | "json" | "dotenv" | "ini";
  readonly plain: string;
  readonly emitted: string;
}

describe("what the reference wrote", () => {
  const vectors = JSON.parse(readFileSync("fixtures/format-vectors.json", "utf8")) as {
    readonly metadata_emission: { readonly cases: readonly EmissionCase[] };
  };
  const folder = "fixtures/interop/encrypted";

  it.each(readdirSync(folder))("is written again as it was: %s", (name) => {
    const format = formatOfPath(name);
    const source = format.read(readFileSync(`${folder}/${name}`));
    const { metadata } = takeMetadata(source.documents, format.metadataPlace);
    if (metadata === undefined) throw new Error("metadata were expected");
    const written = metadataToTree(metadataFromTree(metadata, keyBackends));
    expect(namesInOrder(written)).toEqual(namesInOrder(metadata));
    // Flattened metadata are text throughout, so both are compared as the texts they flatten to.
    expect(flatten(written)).toEqual(metadata.kind === "mapping" ? flatten(metadata) : undefined);
  });

  it.each(vectors.metadata_emission.cases)("comes out as the same text: $format, $metadata", (given) => {
    const format = formatOfName(given.format);
    const record = metadataToTree(read(metadataOf(given.metadata, vectors.metadata_emission.cases)));
    const { documents } = readPlain(format, Buffer.from(given.plain));
    const text = format.emit(putMetadata(documents, record, format.metadataPlace), {});
    expect(Buffer.from(text).toString()).toBe(given.emitted);
  });

  /** The metadata that a case is about, as the JSON case has them. */
  function metadataOf(metadata: string, cases: readonly EmissionCase[]): unknown {
    const asJson = cases.find((candidate) => candidate.metadata === metadata && candidate.format === "json");
    return (JSON.parse(asJson?.emitted ?? "") as { readonly sops: unknown }).sops;
  }

  function namesInOrder(node: Node): unknown {
    if (node.kind !== "mapping") return undefined;
    return node.items.flatMap((item) => (item.kind === "entry" ? [[item.key, namesInOrder(item.value)]] : []));
  }
});

describe("reading", () => {
  it("reads every field", () => {
    expect(read({ ...BASE, mac_only_encrypted: true, shamir_threshold: 2, encrypted_regex: "^d$" })).toMatchObject({
      shamirThreshold: 2,
      lastModified: TIME,
      mac: "ENC[x]",
      selection: { kind: "encrypted_regex", pattern: "^d$" },
      macOnlyEncrypted: true,
      version: "3.13.2",
    });
  });

  it("has empty values for what is missing", () => {
    expect(read({ age: [AGE], lastmodified: TIME })).toMatchObject({
      shamirThreshold: 0,
      mac: "",
      selection: undefined,
      macOnlyEncrypted: false,
      version: "",
    });
  });

  it("orders the keys of a group by type, whatever the order of the lists", () => {
    const vault = { vault_address: "v", created_at: TIME, enc: "" };
    const lists = {
      age: [{ recipient: "a2", enc: "" }, AGE],
      pgp: [PGP],
      hc_vault: [vault],
      azure_kv: [{ vault_url: "z", created_at: TIME, enc: "" }],
      hckms: [{ key_id: "h", created_at: TIME, enc: "" }],
      gcp_kms: [{ resource_id: "g", created_at: TIME, enc: "" }],
      kms: [KMS],
    };
    const expected = [["arn:x", "g", "h", "z", "v", "FBC7", "a2", "age1abc"]];
    expect(ids(read({ ...BASE, ...lists }))).toEqual(expected);
    expect(ids(read({ ...without("age"), key_groups: [lists] }))).toEqual(expected);
  });

  it("takes files of 3.9 and older, with empty and null lists in the old order", () => {
    const old = {
      kms: [],
      gcp_kms: null,
      azure_kv: [],
      hc_vault: null,
      age: [{ recipient: "r", enc: "e" }],
      pgp: null,
    };
    const metadata = read({ shamir_threshold: 0, key_groups: [], ...old, lastmodified: TIME, mac: "m", version: 1.1 });
    expect(write(metadata)).toEqual({
      age: [{ enc: "e", recipient: "r" }],
      lastmodified: TIME,
      mac: "m",
      version: "1.1",
    });
  });

  it("finds fields in any letter case and ignores unknown ones and comments", () => {
    const tree = mapping([
      comment(" note"),
      entry("AGE", sequence([comment(" k"), treeOf({ Recipient: "r", ENC: "e", extra: [{}], more: null })])),
      entry("LastModified", leaf(TIME)),
      entry("attention", treeOf({ of: ["sops", 1] })),
    ]);
    const metadata = metadataFromTree(tree, fakeBackends);
    expect(metadata.groups).toMatchObject([[{ enc: "e", key: { id: "r" } }]]);
    expect(metadata.lastModified).toBe(TIME);
  });

  it("takes a list without its backend for an unknown field", () => {
    const onlyPgp = fakeBackends.filter(({ type }) => type === "pgp");
    const metadata = metadataFromTree(treeOf({ ...BASE, pgp: [PGP] }), onlyPgp);
    expect(ids(metadata)).toEqual([["FBC7"]]);
  });

  it("drops null items of key lists", () => {
    expect(ids(read({ ...BASE, age: [null, AGE] }))).toEqual([["age1abc"]]);
  });

  it("keeps encryption contexts, and member names that objects have anyway", () => {
    const context = JSON.parse('{"__proto__": "p", "constructor": 5, "b": true}') as unknown;
    const metadata = read({ ...BASE, kms: [{ ...KMS, context }] });
    expect(JSON.stringify(write(metadata))).toContain('"context":{"__proto__":"p","b":"1","constructor":"5"}');
    expect(({} as Record<string, unknown>)["p"]).toBeUndefined();
  });

  it.each([
    { at: "2024-01-02T03:04:05.750+00:00", printed: "2024-01-02T03:04:05Z" },
    { at: "2024-01-02T03:04:05,5-00:00", printed: "2024-01-02T03:04:05Z" },
    { at: "2024-01-02T03:04:05.9+02:00", printed: "2024-01-02T03:04:05+02:00" },
  ])("prints the time $at as $printed", ({ at, printed }) => {
    const metadata = read({ ...BASE, lastmodified: at, pgp: [{ ...PGP, created_at: at }] });
    expect(metadata.lastModified).toBe(printed);
    expect(metadata.groups[0]?.[0]?.createdAt).toBe(printed);
  });
});

describe("key groups", () => {
  it("reads groups, empty and null ones included", () => {
    const metadata = read({
      ...without("age"),
      shamir_threshold: 2,
      key_groups: [{ age: [AGE] }, { pgp: [PGP] }, {}, null],
    });
    expect(ids(metadata)).toEqual([["age1abc"], ["FBC7"], [], []]);
  });

  it("takes a single mapping for a list of one", () => {
    expect(ids(read({ ...without("age"), key_groups: { age: AGE } }))).toEqual([["age1abc"]]);
  });

  it("takes flat lists first, and tells that they hide groups with keys", () => {
    const hiding = read({ ...BASE, key_groups: [{ pgp: [PGP] }, { kms: [KMS] }] });
    expect(ids(hiding)).toEqual([["age1abc"]]);
    expect(hiding.shadowsKeyGroups).toBe(true);
    expect(read({ ...BASE, key_groups: [] })).not.toHaveProperty("shadowsKeyGroups");
    expect(read({ ...BASE, key_groups: [{ age: [], hc_vault: [] }] })).not.toHaveProperty("shadowsKeyGroups");
  });

  it("writes one group flat and several as groups, with the two lists that are always there", () => {
    const two = read({ ...without("age"), key_groups: [{ age: [AGE] }, { pgp: [PGP] }] });
    expect(write(two)).toMatchObject({
      key_groups: [
        { age: [AGE], hc_vault: [] },
        { age: [], hc_vault: [], pgp: [PGP] },
      ],
    });
    const one = read({ ...without("age"), key_groups: [{ age: [AGE] }] });
    expect(write(one)).toEqual(BASE);
  });
});

describe("a key that its backend refuses", () => {
  const broken = { enc: "B", extra: "x" };

  it("does not keep the others from being read, and stays in the file", () => {
    const metadata = read({ ...BASE, age: [broken, AGE] });
    expect(ids(metadata)).toEqual([["x", "age1abc"]]);
    expect(write(metadata)).toMatchObject({ age: [broken, AGE] });
  });

  it("fails when it is used", async () => {
    const key = read({ ...BASE, age: [broken] }).groups[0]?.[0]?.key;
    const host = {} as Parameters<NonNullable<typeof key>["wrap"]>[1];
    await expect(key?.wrap(new Uint8Array(32), host)).rejects.toThrow("no recipient");
    await expect(key?.unwrap("B", host)).rejects.toThrow("no recipient");
  });
});

describe("what is refused", () => {
  const load = "ERR_LOAD";
  it.each<{ name: string; data: unknown; code: ErrorCode; message: string }>([
    { name: "text (D-50)", data: "x", code: load, message: "Found sops entry that is not a mapping" },
    { name: "null", data: null, code: load, message: "Found sops entry that is not a mapping" },
    { name: "a list", data: [], code: load, message: "Found sops entry that is not a mapping" },
    { name: "an empty block", data: {}, code: "ERR_METADATA_MISSING", message: "sops metadata not found" },
    { name: "no keys (D-37)", data: without("age"), code: load, message: "No keys found in file" },
    { name: "no groups", data: { ...without("age"), key_groups: [] }, code: load, message: "No keys found in file" },
    {
      name: "a group that is a list",
      data: { ...BASE, key_groups: [[]] },
      code: load,
      message: "sops metadata, key_groups[0]: expected a mapping",
    },
    {
      name: "a key that is text",
      data: { ...without("age"), key_groups: [{}, { age: ["x"] }] },
      code: load,
      message: "sops metadata, key_groups[1].age[0]: expected a mapping",
    },
    {
      name: "no lastmodified",
      data: without("lastmodified"),
      code: load,
      message: "sops metadata, lastmodified: expected a time such as 2006-01-02T15:04:05Z",
    },
    {
      name: "another lastmodified (D-51)",
      data: { ...BASE, lastmodified: "yesterday" },
      code: load,
      message: "sops metadata, lastmodified: expected a time such as 2006-01-02T15:04:05Z",
    },
    {
      name: "a dated key without date (D17)",
      data: { ...BASE, pgp: [{ fp: "FBC7", enc: "P" }] },
      code: load,
      message: "sops metadata, pgp[0].created_at: expected a time such as 2006-01-02T15:04:05Z",
    },
    {
      name: "an enc that is a mapping",
      data: { ...BASE, age: [{ ...AGE, enc: {} }] },
      code: load,
      message: "sops metadata, age[0].enc: expected text",
    },
    {
      name: "a context of mappings",
      data: { ...BASE, kms: [{ ...KMS, context: { a: {} } }] },
      code: load,
      message: "sops metadata, kms[0].context.a: expected text",
    },
    {
      name: "two selection rules (D-52)",
      data: { ...BASE, encrypted_regex: "a", unencrypted_suffix: "b" },
      code: load,
      message:
        "Cannot use more than one of encrypted_suffix, unencrypted_suffix, encrypted_regex, unencrypted_regex, " +
        "encrypted_comment_regex, or unencrypted_comment_regex in the same file",
    },
    {
      name: "a field that stands there in two letter cases",
      data: { ...BASE, MAC: "y" },
      code: load,
      message: "sops metadata, mac: the field stands there twice",
    },
  ])("$name", ({ data, code, message }) => {
    expect(failure(data)).toEqual({ code, message });
  });

  it("takes an empty selection field for an absent one", () => {
    expect(read({ ...BASE, encrypted_regex: "", unencrypted_suffix: "b" }).selection).toEqual({
      kind: "unencrypted_suffix",
      pattern: "b",
    });
  });
});

it("calls a file encrypted that has a version and a MAC", () => {
  expect(isEncrypted(read(BASE))).toBe(true);
  expect(isEncrypted(read(without("mac")))).toBe(false);
  expect(isEncrypted(read(without("version")))).toBe(false);
});

it("writes all mappings in byte order, and reads what it wrote as the same", () => {
  const name = fc.string({ unit: "binary", minLength: 1, maxLength: 4 });
  const context = fc.dictionary(name, fc.string());
  const key = fc.record({ arn: fc.string({ minLength: 1 }), context, role: fc.string() });
  const groups = fc.array(fc.array(key, { maxLength: 3 }), { minLength: 2, maxLength: 4 });
  fc.assert(
    fc.property(groups, fc.nat(255), fc.boolean(), (lists, shamir_threshold, mac_only_encrypted) => {
      const key_groups = lists.map((kms) => ({ kms: kms.map((record) => ({ ...KMS, ...record })) }));
      const written = metadataToTree(read({ ...without("age"), key_groups, shamir_threshold, mac_only_encrypted }));
      expect(isSorted(written)).toBe(true);
      expect(metadataToTree(metadataFromTree(written, fakeBackends))).toEqual(written);
    }),
    { numRuns: 50 },
  );
});

function isSorted(node: Node): boolean {
  if (node.kind === "leaf") return true;
  if (node.kind === "sequence") return node.items.every((item) => item.kind === "comment" || isSorted(item));
  const keys = (node satisfies Mapping).items.flatMap((item) => (item.kind === "entry" ? [Buffer.from(item.key)] : []));
  const isOrdered = keys.every((key, index) => Buffer.compare(keys[index - 1] ?? Buffer.alloc(0), key) <= 0);
  return isOrdered && node.items.every((item) => item.kind === "comment" || isSorted(item.value));
}
