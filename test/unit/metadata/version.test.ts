import { expect, it } from "vitest";
import { compareVersions, isVersionAcceptable } from "../../../src/metadata/version.ts";

it.each(["3.13.2", "v3.9.0", "1.14", "1.x", "1.", "3.8.0-rc.1", "3.8.0+build.5", "99.0.0", "0.0.0"])(
  "accepts %j",
  (version) => {
    expect(isVersionAcceptable(version)).toBe(true);
  },
);

it.each(["", "abc", "3", "3.9", "3.09.0", "3.9.0.1", "V3.9.0", "3.9.0-", "3.9.0-01", " 3.9.0", "10"])(
  "refuses %j",
  (version) => {
    expect(isVersionAcceptable(version)).toBe(false);
  },
);

it("orders versions: ancient, numbers, pre-releases before their release, unknown texts last", () => {
  const ascending = [
    "1.14",
    "2.0.0",
    "3.3.0-alpha",
    "3.3.0-alpha.1",
    "3.3.0-alpha.beta",
    "3.3.0-beta.2",
    "3.3.0-beta.11",
    "3.3.0",
    "3.13.2",
    "99999999999999999999.0.0",
    "unknown",
  ];
  ascending.forEach((left, i) => {
    ascending.forEach((right, j) => {
      expect([left, right, Math.sign(compareVersions(left, right))]).toEqual([left, right, Math.sign(i - j)]);
    });
  });
});

it.each([
  ["3.9.0", "v3.9.0"],
  ["3.9.0+a", "3.9.0+b"],
  ["1.14", "1.0"],
])("takes %j and %j for equal", (a, b) => {
  expect(compareVersions(a, b)).toBe(0);
});
