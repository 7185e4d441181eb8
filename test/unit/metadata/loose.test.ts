import { describe, expect, it } from "vitest";
import {
  comment,
  leaf,
  mapping,
  sequence,
  Timestamp,
  UnsignedInteger,
  type Node,
} from "../../../src/document/model.ts";
import { SopsError } from "../../../src/errors.ts";
import { looseBoolean, looseInteger, looseMappings, looseString } from "../../../src/metadata/loose.ts";
import { dataOf, treeOf } from "./trees.ts";

const NOT_UTF8 = leaf(Uint8Array.of(0xff));
const TIME = leaf(new Timestamp("2024-01-02T03:04:05Z"));

function failure(action: () => unknown): SopsError {
  try {
    action();
  } catch (error) {
    if (error instanceof SopsError) return error;
  }
  throw new Error("a SopsError was expected");
}

describe("text", () => {
  it.each<{ name: string; node: Node | undefined; text: string }>([
    { name: "nothing", node: undefined, text: "" },
    { name: "null", node: leaf(null), text: "" },
    { name: "text", node: leaf("3.13.2"), text: "3.13.2" },
    { name: "an integer", node: leaf(-7n), text: "-7" },
    { name: "a float loses its zeros", node: leaf(1.1), text: "1.1" },
    { name: "a float has no exponent", node: leaf(1e21), text: "1000000000000000000000" },
    { name: "a large integer", node: leaf(new UnsignedInteger("18446744073709551615")), text: "18446744073709551615" },
    { name: "true", node: leaf(true), text: "1" },
    { name: "false", node: leaf(false), text: "0" },
  ])("takes $name", ({ node, text }) => {
    expect(looseString(node, "version")).toBe(text);
  });

  it.each<{ name: string; node: Node }>([
    { name: "a point in time", node: TIME },
    { name: "bytes", node: NOT_UTF8 },
    { name: "a mapping", node: mapping([]) },
    { name: "a list", node: sequence([leaf("a")]) },
  ])("refuses $name", ({ node }) => {
    expect(failure(() => looseString(node, "version"))).toMatchObject({
      code: "ERR_LOAD",
      message: expect.stringMatching(/^sops metadata, version: expected text/) as string,
    });
  });
});

describe("integers", () => {
  it.each<{ value: bigint | number | boolean | string | null; integer: number }>([
    { value: null, integer: 0 },
    { value: 2n, integer: 2 },
    { value: -1n, integer: -1 },
    { value: 2.9, integer: 2 },
    { value: -2.9, integer: -2 },
    { value: true, integer: 1 },
    { value: false, integer: 0 },
    { value: "", integer: 0 },
    { value: "2", integer: 2 },
    { value: "+2", integer: 2 },
    { value: "-2", integer: -2 },
    { value: "0x1F", integer: 31 },
    { value: "0b11", integer: 3 },
    { value: "0o17", integer: 15 },
    { value: "017", integer: 15 },
    { value: "0_7", integer: 7 },
    { value: "1_000", integer: 1000 },
    { value: "2.000000", integer: 2 }, // INI files of sops 3.3 to 3.10
    { value: "010.0", integer: 10 },
  ])("reads $value as $integer", ({ value, integer }) => {
    expect(looseInteger(leaf(value), "shamir_threshold")).toBe(integer);
  });

  it.each(["two", "2.5", "2.", "1e3", " 2", "1__0", "_1", "1_", "09", "0x", "99999999999999999999"])(
    "refuses %j",
    (text) => {
      expect(failure(() => looseInteger(leaf(text), "shamir_threshold")).message).toBe(
        "sops metadata, shamir_threshold: expected an integer",
      );
    },
  );

  it.each<{ name: string; node: Node }>([
    { name: "infinity", node: leaf(Infinity) },
    { name: "1e30", node: leaf(1e30) },
    { name: "a point in time", node: TIME },
    { name: "a list", node: sequence([]) },
  ])("refuses $name", ({ node }) => {
    expect(failure(() => looseInteger(node, "shamir_threshold")).code).toBe("ERR_LOAD");
  });
});

describe("booleans", () => {
  it.each<{ value: bigint | number | boolean | string | null; expected: boolean }>([
    ...["1", "t", "T", "TRUE", "true", "True"].map((value) => ({ value, expected: true })),
    ...["", "0", "f", "F", "FALSE", "false", "False"].map((value) => ({ value, expected: false })),
    { value: true, expected: true },
    { value: false, expected: false },
    { value: null, expected: false },
    { value: 0n, expected: false },
    { value: 5n, expected: true },
    { value: 0.5, expected: true },
    { value: 0, expected: false },
  ])("reads $value as $expected", ({ value, expected }) => {
    expect(looseBoolean(leaf(value), "mac_only_encrypted")).toBe(expected);
  });

  it.each(["yes", "on", "tRUE", "2", " true"])("refuses %j", (text) => {
    expect(failure(() => looseBoolean(leaf(text), "mac_only_encrypted")).message).toBe(
      "sops metadata, mac_only_encrypted: expected true or false",
    );
  });
});

describe("lists of mappings", () => {
  it.each<{ name: string; node: Node | undefined; data: unknown }>([
    { name: "nothing", node: undefined, data: [] },
    { name: "null", node: leaf(null), data: [] },
    { name: "an empty list", node: sequence([]), data: [] },
    { name: "an empty mapping", node: mapping([]), data: [] },
    { name: "a single mapping", node: treeOf({ enc: "x" }), data: [{ enc: "x" }] },
    { name: "a list", node: treeOf([{ a: "1" }, { b: "2" }]), data: [{ a: "1" }, { b: "2" }] },
    { name: "a null item", node: treeOf([null, { b: "2" }]), data: [{}, { b: "2" }] },
    { name: "comments", node: sequence([comment(" c"), mapping([comment(" d")])]), data: [{}] },
  ])("takes $name", ({ node, data }) => {
    expect(looseMappings(node, "age").map(dataOf)).toEqual(data);
  });

  it.each<{ name: string; node: Node; place: string }>([
    { name: "text", node: leaf("x"), place: "age" },
    { name: "a list of text", node: treeOf([{}, "x"]), place: "age[1]" },
    { name: "a list of lists", node: treeOf([[]]), place: "age[0]" },
  ])("refuses $name", ({ node, place }) => {
    expect(failure(() => looseMappings(node, "age")).message).toMatch(`sops metadata, ${place}: expected `);
  });
});

it("never tells what stood there", () => {
  const node = leaf("hunter2");
  for (const read of [looseInteger, looseBoolean, looseMappings])
    expect(failure(() => read(node, "field")).message).not.toContain("hunter2");
});
