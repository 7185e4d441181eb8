import { describe, expect, it } from "vitest";
import { isDate, parseRfc3339, withoutFraction } from "../../../src/go/time.ts";

describe("RFC 3339 times as Go reads them", () => {
  it.each([
    ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05Z"],
    ["2024-01-02T3:04:05Z", "2024-01-02T03:04:05Z"],
    ["2024-01-02T03:04:05,5Z", "2024-01-02T03:04:05.5Z"],
    ["2024-01-02T03:04:05.123456789123Z", "2024-01-02T03:04:05.123456789Z"],
    ["2024-01-02T03:04:05.500+07:06", "2024-01-02T03:04:05.5+07:06"],
    ["2024-01-02T03:04:05-00:00", "2024-01-02T03:04:05Z"],
    ["2024-02-29T23:59:59Z", "2024-02-29T23:59:59Z"],
  ])("reads %s", (text, canonical) => {
    expect(parseRfc3339(text)).toBe(canonical);
  });

  it.each([
    "2024-01-02t03:04:05Z",
    "2024-01-02T03:04:05z",
    "2024-01-02 03:04:05Z",
    "2024-1-02T03:04:05Z",
    "2024-01-02T03:04:05+0100",
    "2024-01-02T24:04:05Z",
    "2024-01-02T03:04:60Z",
    "2023-02-29T03:04:05Z",
    "2024-01-02T03:04:05",
    "",
  ])("refuses %j", (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });

  it("drops fractions", () => {
    expect(withoutFraction("2024-01-02T03:04:05.75+01:00")).toBe("2024-01-02T03:04:05+01:00");
  });

  it.each([
    [1900, 2, 29, false],
    [2000, 2, 29, true],
    [2024, 4, 31, false],
    [2024, 13, 1, false],
    [2024, 12, 0, false],
  ])("knows whether %i-%i-%i exists", (year, month, day, exists) => {
    expect(isDate(year, month, day)).toBe(exists);
  });
});
