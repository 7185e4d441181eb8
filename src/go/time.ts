const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d{1,2}):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([-+])(\d\d):(\d\d))$/;
const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads an RFC 3339 time as Go's time package does (file-format.md 1.4): upper-case `T` and `Z`, also a one-digit
 * hour, a comma before the fraction, and more than nine fraction digits, which are cut.
 *
 * @returns the canonical text of 1.3, or undefined if the text is no time
 */
export function parseRfc3339(text: string): string | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year = "",
    month = "",
    day = "",
    hour = "",
    minute = "",
    second = "",
    fraction = "",
    sign,
    zoneHour,
    zoneMinute,
  ] = match;
  const isValid =
    isDate(Number(year), Number(month), Number(day)) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60 &&
    Number(zoneHour ?? 0) < 24 &&
    Number(zoneMinute ?? 0) < 60;
  if (!isValid) return undefined;
  const digits = fraction.slice(0, 9).replace(/0+$/, "");
  const zone =
    sign === undefined || (zoneHour === "00" && zoneMinute === "00")
      ? "Z"
      : `${sign}${zoneHour ?? ""}:${zoneMinute ?? ""}`;
  const clock = `${hour.padStart(2, "0")}:${minute}:${second}`;
  return `${year}-${month}-${day}T${clock}${digits === "" ? "" : `.${digits}`}${zone}`;
}

/** Drops the fraction of a canonical time text, as the metadata and the flat formats print it. */
export function withoutFraction(text: string): string {
  return text.replace(/\.\d+/, "");
}

/** Whether a day exists in the Gregorian calendar; month and day count from 1. */
export function isDate(year: number, month: number, day: number): boolean {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = month === 2 && isLeap ? 29 : DAYS_OF_MONTH[month - 1];
  return days !== undefined && day >= 1 && day <= days;
}

/** A moment as the metadata write it: UTC, whole seconds (file-format.md 6.6). */
export function formatUtcSeconds(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}
