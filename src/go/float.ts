/**
 * Number texts as Go prints and reads them. Shortest digits are the same in JavaScript and Go; what differs is when
 * an exponent is used and how it looks (file-format.md 1.5).
 */

interface Digits {
  readonly sign: string;
  /** Significant digits without a point; `0` for zero. */
  readonly digits: string;
  /** Decimal exponent of the first digit: value = d.ddd × 10^exponent. */
  readonly exponent: number;
}

function shortestDigits(value: number): Digits {
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const [mantissa = "0", exponent = "0"] = Math.abs(value).toExponential().split("e");
  return { sign, digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

function plainNotation({ sign, digits, exponent }: Digits): string {
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return sign + digits.padEnd(exponent + 1, "0");
  return `${sign}${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

function exponentNotation({ sign, digits, exponent }: Digits, letter: string): string {
  const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
  const power = String(Math.abs(exponent)).padStart(2, "0");
  return `${sign}${digits.slice(0, 1)}${fraction}${letter}${exponent < 0 ? "-" : "+"}${power}`;
}

function specialText(value: number): string | undefined {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : undefined;
}

function generalNotation(value: number, letter: string): string {
  const parts = shortestDigits(value);
  return parts.exponent < -4 || parts.exponent >= 6 ? exponentNotation(parts, letter) : plainNotation(parts);
}

/** The text of a float in cells and in the MAC: never an exponent, `+Inf`, `-Inf`, `NaN`, `-0`. */
export function floatText(value: number): string {
  return specialText(value) ?? plainNotation(shortestDigits(value));
}

/** The text of a float in YAML: `1e+06`, `.inf`, `.nan`. */
export function yamlFloatText(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  return generalNotation(value, "e");
}

/** The text of a float in JSON, as JavaScript has it but with `-0`; undefined for infinities and NaN. */
export function jsonFloatText(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined;
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The text of a float in dotenv and INI: `1E+06`, and always with a point or an exponent (`2.0`). */
export function flatFloatText(value: number): string {
  const special = specialText(value);
  if (special !== undefined) return special;
  const text = generalNotation(value, "E");
  return text.includes(".") || text.includes("E") ? text : `${text}.0`;
}

const DECIMAL = /^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/;
const HEXADECIMAL = /^([-+]?)0[xX]([\da-fA-F]*)\.?([\da-fA-F]*)[pP]([-+]?\d+)$/;
const SPECIAL = /^(?:([-+]?)inf(?:inity)?|nan)$/i;

/**
 * Reads a float as the cells of the wire format have it (file-format.md 1.4): decimal, hexadecimal, single
 * underscores between digits, `Inf` and `NaN` in any letter case.
 *
 * @returns undefined if the text is no float, or one that overflows
 */
export function parseGoFloat(text: string): number | undefined {
  const special = SPECIAL.exec(text);
  if (special !== null) {
    if (/nan/i.test(text)) return NaN;
    return special[1] === "-" ? -Infinity : Infinity;
  }
  const digits = withoutUnderscores(text);
  if (digits === undefined) return undefined;
  const value = DECIMAL.test(digits) ? Number(digits) : parseHexadecimal(digits);
  return value === undefined || !Number.isFinite(value) ? undefined : value;
}

/** Underscores may stand singly between two digits, or after the `0x` prefix. */
function withoutUnderscores(text: string): string | undefined {
  if (!text.includes("_")) return text;
  const isHex = /^[-+]?0[xX]/.test(text);
  const between = isHex ? /(?<=[\da-fA-FxX])_(?=[\da-fA-F])/g : /(?<=\d)_(?=\d)/g;
  const stripped = text.replace(between, "");
  return stripped.includes("_") ? undefined : stripped;
}

function parseHexadecimal(text: string): number | undefined {
  const match = HEXADECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", power = "0"] = match;
  if (whole.length + fraction.length === 0) return undefined;
  const mantissa = BigInt(`0x${whole}${fraction}`);
  const value = Number(mantissa) * 2 ** (Number(power) - 4 * fraction.length);
  return sign === "-" ? -value : value;
}
