// What each part of a cell may be, and what is remembered of one.
import { describe, expect, it } from "vitest";
import { importDataKey } from "../../../src/bytes/aes-gcm.ts";
import { CellMemory } from "../../../src/document/cell-memory.ts";
import {
  isCell,
  isCommentCell,
  openCell,
  scalarFromBytes,
  sealBytes,
  sealCell,
  type CellType,
} from "../../../src/document/cell.ts";
import { LONG_VALUE } from "../../../src/document/long-cell.ts";
import { leaf } from "../../../src/document/model.ts";

const key = importDataKey(Buffer.alloc(32, 1));
const iv = Buffer.alloc(32, 2);
const seal = (plain: string, type: CellType = "str", aad = "a:"): string =>
  sealCell(key, iv, aad, Buffer.from(plain), type);

describe("the form of a cell", () => {
  it.each([
    { name: "all fields", text: "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]", is: true },
    { name: "one character in each", text: "ENC[AES256_GCM,data:A,iv:B,tag:C,type:d]", is: true },
    { name: "text behind it", text: "ENC[AES256_GCM,data:A,iv:B,tag:C,type:d] more", is: true },
    { name: "a line behind it", text: "ENC[AES256_GCM,data:A,iv:B,tag:C,type:d]\n]", is: true },
    { name: "its bracket in the next line", text: "ENC[AES256_GCM,data:A,iv:B,tag:C,type:d\n]", is: false },
    { name: "no data", text: "ENC[AES256_GCM,data:,iv:B,tag:C,type:d]", is: false },
    { name: "no IV", text: "ENC[AES256_GCM,data:A,iv:,tag:C,type:d]", is: false },
    { name: "no tag", text: "ENC[AES256_GCM,data:A,iv:B,tag:,type:d]", is: false },
    { name: "no type", text: "ENC[AES256_GCM,data:A,iv:B,tag:C,type:]", is: false },
    { name: "no bracket", text: "ENC[AES256_GCM,data:A,iv:B,tag:C,type:d", is: false },
    { name: "another order", text: "ENC[AES256_GCM,data:A,tag:C,iv:B,type:d]", is: false },
    { name: "another beginning", text: " ENC[AES256_GCM,data:A,iv:B,tag:C,type:d]", is: false },
    { name: "no more than the beginning", text: "ENC[AES256_GCM,data:", is: false },
  ])("$name: $is", ({ text, is }) => {
    expect(isCell(text)).toBe(is);
    if (!is) expect(openCell(key, text, "a:")).toBe("not a cell");
    if (!is) expect(openCell(key, Buffer.from(text), "a:")).toBe("not a cell");
  });

  it("is that of a comment by its type alone", () => {
    expect(isCommentCell(seal("x", "comment"))).toBe(true);
    expect(isCommentCell(seal("x"))).toBe(false);
    expect(isCommentCell("ENC[AES256_GCM,data:type:comment]")).toBe(false);
  });
});

describe("why a cell does not open", () => {
  const cell = seal("hello");

  it.each([
    { name: "a type of nobody", text: cell.replace("type:str", "type:str2"), failure: "unknown type" },
    { name: "an IV in no base64", text: cell.replace(/iv:./, "iv:*"), failure: "bad base64" },
    { name: "a tag in no base64", text: cell.replace(/tag:./, "tag:*"), failure: "bad base64" },
    { name: "data in no base64", text: cell.replace(/data:./, "data:*"), failure: "bad base64" },
    { name: "data cut short", text: cell.replace("=,iv:", ",iv:"), failure: "bad base64" },
    {
      name: "another tag",
      text: cell.replace(/tag:[^,]*/, `tag:${"A".repeat(22)}==`),
      failure: "wrong key or altered",
    },
  ])("$name", ({ text, failure }) => {
    expect(openCell(key, text, "a:")).toBe(failure);
    expect(openCell(key, Buffer.from(text), "a:")).toBe(failure);
  });

  it("is told of long ones in bytes, too, which open if nothing is wrong", () => {
    const long = sealBytes(key, iv, "a:", Buffer.alloc(LONG_VALUE, 7), "str");
    const opened = openCell(key, long, "a:");
    expect(typeof opened === "object" && opened.plain.equals(Buffer.alloc(LONG_VALUE, 7))).toBe(true);
    const odd = Buffer.from(long);
    odd.write("*", 100);
    expect(openCell(key, odd, "a:")).toBe("bad base64");
    expect(openCell(key, Buffer.concat([Buffer.from(" "), long]), "a:")).toBe("not a cell");
    const broken = Buffer.concat([long.subarray(0, 1000), Buffer.from("\r\n"), long.subarray(1000)]);
    const joined = openCell(key, broken, "a:");
    expect(typeof joined === "object" && joined.plain.length).toBe(LONG_VALUE);
  });
});

describe("what a cell holds", () => {
  it.each([
    { type: "int", text: "1x" },
    { type: "int", text: "" },
    { type: "float", text: "1.x" },
    { type: "bool", text: "yes" },
    { type: "time", text: "yesterday" },
    { type: "time", text: "2026-01-02" },
  ] as const)("is no $type: '$text'", ({ type, text }) => {
    expect(scalarFromBytes(type, Buffer.from(text))).toBeUndefined();
  });

  it.each(["int", "float", "bool", "time"] as const)("is no %s if it is no text", (type) => {
    expect(scalarFromBytes(type, Buffer.from([0xff]))).toBeUndefined();
  });

  it.each(["1.50", "+1.5", "-1.50", "1.", ".5", "-.50", "10.0", "1e5", "1E5", "1e+05", "1e-50", "12.25e10", "+.5e1"])(
    "keeps the digits of the float %s",
    (text) => {
      expect(scalarFromBytes("float", Buffer.from(text))).toEqual({ value: Number(text), text });
    },
  );

  it.each(["1.5", "-1.5", "100"])("has nothing to keep of the float %s", (text) => {
    expect(scalarFromBytes("float", Buffer.from(text))).toEqual({ value: Number(text) });
  });

  it.each([
    { text: "0x1p-2", value: 0.25 },
    { text: "1_000.5", value: 1000.5 },
    { text: "Inf", value: Infinity },
    { text: "infinity", value: Infinity },
    { text: "0X10P0", value: 16 },
  ])("keeps no digits that other programs do not read: $text", ({ text, value }) => {
    expect(scalarFromBytes("float", Buffer.from(text))).toEqual({ value });
  });
});

describe("the memory of cells", () => {
  const cell = (plain: string, text: string, ivText = iv.toString("base64")) =>
    ({ plain: Buffer.from(plain), type: "str", aad: "a:", iv: ivText, text }) as const;

  it("hands out equal cells in their order, and the last again and again", () => {
    const memory = new CellMemory(key);
    for (const text of ["[1]", "[2]", "[3]"]) memory.put(cell("x", text));
    const take = (): string | undefined => memory.take(Buffer.from("x"), "str", "a:")?.text;
    expect([take(), take(), take(), take(), take()]).toEqual(["[1]", "[2]", "[3]", "[3]", "[3]"]);
    memory.rewind();
    expect([take(), take()]).toEqual(["[1]", "[2]"]);
  });

  it("knows only the same bytes, type and path", () => {
    const memory = new CellMemory(key);
    memory.put(cell("x", "[1]"));
    expect(memory.take(Buffer.from("y"), "str", "a:")).toBeUndefined();
    expect(memory.take(Buffer.from("x"), "int", "a:")).toBeUndefined();
    expect(memory.take(Buffer.from("x"), "str", "b:")).toBeUndefined();
    expect(memory.take(Buffer.from("x"), "str", "a:")).toEqual(cell("x", "[1]"));
  });

  it("takes no IV of another length", () => {
    const memory = new CellMemory(key);
    memory.put(cell("x", "[1]", Buffer.alloc(12).toString("base64")));
    expect(memory.take(Buffer.from("x"), "str", "a:")).toBeUndefined();
  });

  it("leaves out what follows the cell", () => {
    const memory = new CellMemory(key);
    memory.put(cell("x", "ENC[1]\n"));
    expect(memory.take(Buffer.from("x"), "str", "a:")).toEqual(cell("x", "ENC[1]"));
  });

  it("finds the leaf that a leaf was opened from, under its path", () => {
    const memory = new CellMemory(key);
    const [plain, sealed] = [leaf("x"), leaf("ENC[1]")];
    expect(memory.originOf(plain, "a:")).toBeUndefined();
    memory.link(plain, sealed, "a:");
    expect(memory.originOf(plain, "a:")).toBe(sealed);
    expect(memory.originOf(plain, "b:")).toBeUndefined();
    expect(memory.originOf(leaf("x"), "a:")).toBeUndefined();
  });
});
