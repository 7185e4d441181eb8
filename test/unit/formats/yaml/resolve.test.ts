import { describe, expect, it } from "vitest";
import { Timestamp, UnsignedInteger } from "../../../../src/document/model.ts";
import { floatDigits, isPlainString, resolvePlain, resolveTagged } from "../../../../src/formats/yaml/resolve.ts";

describe("resolvePlain", () => {
  it.each<[string, ReturnType<typeof resolvePlain>]>([
    ["yes", "yes"],
    ["True", true],
    ["", null],
    ["~", null],
    ["-0", 0n],
    ["-0.0", -0],
    ["0777", 511n],
    ["08", 8],
    ["0x_1F", 31n],
    ["1__000", 1000n],
    ["9223372036854775807", 9223372036854775807n],
    ["9223372036854775808", new UnsignedInteger("9223372036854775808")],
    ["0xFFFFFFFFFFFFFFFF", new UnsignedInteger("18446744073709551615")],
    ["-9223372036854775809", -9223372036854775809],
    ["18446744073709551616", 18446744073709552000],
    ["0b-1", -1n],
    ["0o+7", 7n],
    ["0b--1", "0b--1"],
    [".5_0", 0.5],
    [".5__0", ".5__0"],
    ["-.Inf", -Infinity],
    [".nAn", ".nAn"],
    ["1e400", "1e400"],
    ["2024-1-2", new Timestamp("2024-01-02T00:00:00Z")],
    ["2024-01-02T3:4:5,120+00:00", new Timestamp("2024-01-02T03:04:05.12Z")],
    ["2001-12-14  21:59:43", new Timestamp("2001-12-14T21:59:43Z")],
    ["2024-01-02T03:04:05", "2024-01-02T03:04:05"],
    ["2024-02-30", "2024-02-30"],
    ["2024-01-02T03:04:05+24:00", "2024-01-02T03:04:05+24:00"],
    ["é", "é"],
  ])("reads %j", (text, value) => {
    expect(resolvePlain(text)).toEqual(value);
  });

  it("is quick to refuse a number of a million digits", () => {
    const digits = "9".repeat(1_000_000);
    expect(resolvePlain(digits)).toBe(digits);
  });
});

it.each([
  ["a", true],
  ["0x", true],
  ["1", false],
  ["", false],
  ["null", false],
])("knows whether %j is a string", (text, expected) => {
  expect(isPlainString(text)).toBe(expected);
});

it.each([
  ["1.10", 1.1, "1.10"],
  ["1.1", 1.1, undefined],
  ["1e3", 1000, "1e3"],
  ["+.5", 0.5, "+.5"],
  ["1_0.5", 10.5, undefined],
  [".inf", Infinity, undefined],
])("keeps the digits of %j where a cell can hold them", (text, value, digits) => {
  expect(floatDigits(text, value)).toBe(digits);
});

describe("resolveTagged", () => {
  it.each<[string, string, ReturnType<typeof resolveTagged>]>([
    ["str", "1", "1"],
    ["int", "1", 1n],
    ["int", "1.5", undefined],
    ["float", "1", 1],
    ["float", "x", undefined],
    ["bool", "true", true],
    ["bool", "yes", undefined],
    ["null", "", null],
    ["null", "x", undefined],
    ["timestamp", "2024-01-02", new Timestamp("2024-01-02T00:00:00Z")],
    ["binary", "aGk=", "hi"],
    ["binary", "gA==", Buffer.from([0x80])],
    ["binary", "a", undefined],
    ["set", "1", "1"],
    ["toString", "1", "1"],
  ])("reads !!%s %s", (name, text, value) => {
    expect(resolveTagged(`tag:yaml.org,2002:${name}`, text)).toEqual(value);
  });

  it("leaves a string under a tag of someone else", () => {
    expect(resolveTagged("!foo", "1")).toBe("1");
  });
});
