import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { entry, leaf, mapping, sequence, Timestamp } from "../../../src/document/model.ts";
import { EmitError, FormatError } from "../../../src/errors.ts";
import { binary, emitBinaryPlain, readBinaryPlain } from "../../../src/formats/binary.ts";
import { notation } from "../../support/vectors.ts";

describe("the plain side of binary", () => {
  it("gives any bytes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => {
        expect(emitBinaryPlain(readBinaryPlain(bytes).documents)).toEqual(bytes);
      }),
    );
  });

  it("never copies the bytes", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
    expect(emitBinaryPlain(readBinaryPlain(bytes).documents)).toBe(bytes);
  });

  it("writes a string as UTF-8 with nothing added", () => {
    const written = emitBinaryPlain([mapping([entry("data", leaf("é\r\n"))])]);
    expect(Buffer.from(written).toString("hex")).toBe("c3a90d0a");
  });

  it("refuses what one cell cannot hold", () => {
    const huge = Object.defineProperty(new Uint8Array(), "length", { value: 380 * 2 ** 20 + 1 });
    expect(() => readBinaryPlain(huge)).toThrow(FormatError);
    expect(() => readBinaryPlain(huge)).toThrow(/at most 380 MiB/);
  });

  it.each([
    { name: "no document", documents: [], reason: "there must be exactly one tree branch" },
    { name: "two documents", documents: [mapping([]), mapping([])], reason: "there must be exactly one tree branch" },
    { name: "no data", documents: [mapping([entry("x", leaf("y"))])], reason: "no binary data found in tree" },
    ...[leaf(1n), leaf(null), leaf(true), leaf(new Timestamp("2024-01-02T00:00:00Z")), sequence([])].map((node) => ({
      name: `data of another kind, ${JSON.stringify(notation(node))}`,
      documents: [mapping([entry("data", node)])],
      reason: "'data' key in tree does not have a string value",
    })),
  ])("refuses a tree with $name in the words of the reference", ({ documents, reason }) => {
    const emit = (): Uint8Array => emitBinaryPlain(documents);
    expect(emit).toThrow(EmitError);
    expect(emit).toThrow(
      `error emitting binary store: ${reason}\n\nThis is likely not an encrypted binary file? If not, use --output-type to select the correct output type.`,
    );
  });
});

describe("the encrypted side of binary", () => {
  const document = mapping([entry("data", leaf("ENC[x]")), entry("sops", mapping([]))]);
  const printed = '{\n\t"data": "ENC[x]",\n\t"sops": {}\n}\n';

  it("is JSON", () => {
    expect(Buffer.from(binary.emit([document], {})).toString()).toBe(printed);
    const source = binary.read(Buffer.from(printed));
    if (source instanceof Promise) throw new Error("reads at once");
    expect(source).toMatchObject({ format: "binary", text: printed });
    expect(source.documents.map(notation)).toEqual([notation(document)]);
    expect(Buffer.from(binary.write(source, source.documents)).toString()).toBe(printed);
  });

  it("has a text of its own when the source is the plain side", () => {
    const plain = readBinaryPlain(Uint8Array.from([0xff]));
    expect(Buffer.from(binary.write(plain, [document])).toString()).toBe(printed);
  });

  it("takes the indentation of JSON", () => {
    expect(Buffer.from(binary.emit([document], { indent: 0 })).toString()).toBe(printed.replaceAll("\t", ""));
  });

  it("writes a long cell without joining it to the rest first", () => {
    const cell = "A".repeat(2 ** 20 + 1);
    const written = Buffer.from(binary.emit([mapping([entry("data", leaf(cell))])], {})).toString();
    expect(written === `{\n\t"data": "${cell}"\n}\n`).toBe(true);
  });

  it("has no values to extract", () => {
    expect(() => binary.emitValue(leaf("x"), {})).toThrow(
      "Binary files are not structured and extracting a single value is not possible",
    );
  });
});
