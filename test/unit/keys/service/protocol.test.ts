import { describe, expect, it } from "vitest";
import fc from "fast-check";
import type { KeyRecord } from "../../../../src/keys/backend.ts";
import { decodeRequest, decodeResponse, encodeRequest, encodeResponse } from "../../../../src/keys/service/protocol.ts";
import { readFields, writeFields } from "../../../../src/keys/service/wire.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const keys = [
  { type: "kms", record: { arn: "a", role: "r", context: { k: "v", l: "w" }, aws_profile: "p" } },
  { type: "kms", record: { arn: "a", aws_profile: "" } },
  { type: "pgp", record: { fp: "F" } },
  { type: "gcp_kms", record: { resource_id: "projects/x" } },
  { type: "azure_kv", record: { vault_url: "u", name: "n", version: "" } },
  { type: "hc_vault", record: { vault_address: "a", engine_path: "e", key_name: "k" } },
  { type: "age", record: { recipient: "age1" } },
  { type: "hckms", record: { key_id: "r:u" } },
] as const satisfies readonly { type: string; record: KeyRecord }[];

describe("key service messages", () => {
  it.each(keys)("reads the $type key it writes", (key) => {
    expect(decodeRequest(encodeRequest(key, Buffer.from("part")))).toEqual({ key, content: Buffer.from("part") });
  });

  // Bytes as a protobuf library writes them for the definitions in cli-behaviour.md 8.
  it.each([
    {
      name: "age key",
      key: { type: "age", record: { recipient: "ab" } },
      content: "x",
      bytes: "0a0632040a02616212" + "0178",
    },
    {
      name: "AWS key with context",
      key: { type: "kms", record: { arn: "A", context: { b: "c" }, aws_profile: "" } },
      content: "x",
      bytes: "0a0d0a0b0a01411a060a016212016312" + "0178",
    },
  ] as const)("writes an $name as protocol buffers do", ({ key, content, bytes }) => {
    expect(hex(encodeRequest(key, Buffer.from(content)))).toBe(bytes);
  });

  it.each([
    { name: "no key", bytes: "120178", key: null },
    { name: "an empty key", bytes: "0a00120178", key: null },
    { name: "a kind of key from a later version", bytes: "0a0242007801".slice(0, 8) + "120178", key: "unknown" },
    {
      name: "an unknown number besides",
      bytes: "0a0632040a026162" + "1801" + "120178",
      key: { type: "age", record: { recipient: "ab" } },
    },
  ])("reads a request with $name", ({ bytes, key }) => {
    expect(decodeRequest(Buffer.from(bytes, "hex"))).toEqual({ key, content: Buffer.from("x") });
  });

  it("takes the last of two keys, as a oneof has it", () => {
    const both = writeFields([
      [
        1,
        writeFields([
          [6, writeFields([[1, Buffer.from("a")]])],
          [2, writeFields([[1, Buffer.from("F")]])],
        ]),
      ],
    ]);
    expect(decodeRequest(both).key).toEqual({ type: "pgp", record: { fp: "F" } });
  });

  it("leaves out an empty answer", () => {
    expect(hex(encodeResponse(new Uint8Array()))).toBe("");
    expect(hex(decodeResponse(encodeResponse(Buffer.from("k"))))).toBe(hex(Buffer.from("k")));
  });

  it.each(["0a", "0a05ab", "0b", "00", "0a" + "ff".repeat(11), "0d0000"])(
    "refuses the malformed message %s",
    (bytes) => {
      expect(() => decodeRequest(Buffer.from(bytes, "hex"))).toThrow(RangeError);
    },
  );

  it("reads the fields it writes, of any length", () => {
    const fields = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 20 }), fc.uint8Array({ maxLength: 300 })));
    fc.assert(
      fc.property(fields, (written) => {
        expect(readFields(writeFields(written)).map(([number, bytes]) => [number, hex(bytes)])).toEqual(
          written.map(([number, bytes]) => [number, hex(bytes)]),
        );
      }),
    );
  });

  it("ends on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodeRequest(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
