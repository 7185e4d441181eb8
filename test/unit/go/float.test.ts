import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flatFloatText, floatText, jsonFloatText, parseGoFloat, yamlFloatText } from "../../../src/go/float.ts";

describe("float texts (file-format.md 1.5)", () => {
  it.each([
    { value: 1e5, cell: "100000", json: "100000", yaml: "100000", flat: "100000.0" },
    { value: 1e6, cell: "1000000", json: "1000000", yaml: "1e+06", flat: "1E+06" },
    { value: 1e20, cell: "100000000000000000000", json: "100000000000000000000", yaml: "1e+20", flat: "1E+20" },
    { value: 1e21, cell: "1000000000000000000000", json: "1e+21", yaml: "1e+21", flat: "1E+21" },
    { value: 1e-4, cell: "0.0001", json: "0.0001", yaml: "0.0001", flat: "0.0001" },
    { value: 1e-5, cell: "0.00001", json: "0.00001", yaml: "1e-05", flat: "1E-05" },
    { value: 1e-7, cell: "0.0000001", json: "1e-7", yaml: "1e-07", flat: "1E-07" },
    { value: 2, cell: "2", json: "2", yaml: "2", flat: "2.0" },
    { value: -0, cell: "-0", json: "-0", yaml: "-0", flat: "-0.0" },
    { value: 999999, cell: "999999", json: "999999", yaml: "999999", flat: "999999.0" },
    { value: 1234567.125, cell: "1234567.125", json: "1234567.125", yaml: "1.234567125e+06", flat: "1.234567125E+06" },
    { value: Infinity, cell: "+Inf", json: undefined, yaml: ".inf", flat: "+Inf" },
    { value: -Infinity, cell: "-Inf", json: undefined, yaml: "-.inf", flat: "-Inf" },
    { value: NaN, cell: "NaN", json: undefined, yaml: ".nan", flat: "NaN" },
  ])("writes $value", ({ value, cell, json, yaml, flat }) => {
    expect(floatText(value)).toBe(cell);
    expect(jsonFloatText(value)).toBe(json);
    expect(yamlFloatText(value)).toBe(yaml);
    expect(flatFloatText(value)).toBe(flat);
  });

  it("never writes an exponent into a cell, and reads back the same number", () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(floatText(value)).not.toMatch(/[eE]/);
        expect(parseGoFloat(floatText(value))).toBe(value);
      }),
    );
  });
});

describe("reading floats (file-format.md 1.4)", () => {
  it.each([
    ["1.10", 1.1],
    ["1e3", 1000],
    [".5", 0.5],
    ["5.", 5],
    ["+1.5", 1.5],
    ["1_000", 1000],
    ["1e1_0", 1e10],
    [".5_0", 0.5],
    ["0x_1p4", 16],
    ["0x1p4", 16],
    ["-0x1.8p1", -3],
    ["infinity", Infinity],
    ["-INF", -Infinity],
    ["nan", NaN],
  ])("reads %s", (text, value) => {
    expect(parseGoFloat(text)).toBe(value);
  });

  it.each([
    "",
    "_1",
    "1_",
    "1__0",
    "1_.5",
    "1._5",
    "+nan",
    "0b11",
    " 1",
    "1 ",
    "1e",
    "0x1",
    "0xp1",
    "1e400",
    "e5",
    ".",
  ])("refuses %j", (text) => {
    expect(parseGoFloat(text)).toBeUndefined();
  });
});
