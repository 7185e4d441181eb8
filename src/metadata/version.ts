const SEMANTIC =
  /^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;

/** Files of the Python program say `1.14`; they are older than anything, whatever follows the point. */
const isAncient = (version: string): boolean => version.startsWith("1.");

/** Whether the reference's command line takes a file with this `version` (file-format.md 6.7). */
export function isVersionAcceptable(version: string): boolean {
  return isAncient(version) || SEMANTIC.test(version);
}

/**
 * Orders two versions as semantic versioning does: negative, 0 or positive.
 *
 * `1.…` comes before all others, and a text that is no version after them: an unknown writer counts as the newest.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  return compareParts(left.numbers, right.numbers) || comparePreReleases(left.preRelease, right.preRelease);
}

interface Version {
  readonly numbers: readonly Identifier[];
  readonly preRelease: readonly Identifier[];
}

type Identifier = bigint | string;

function parse(text: string): Version {
  if (isAncient(text)) return { numbers: [], preRelease: [] };
  const match = SEMANTIC.exec(text);
  if (match === null) return { numbers: ["newest"], preRelease: [] };
  const [, major = "0", minor = "0", patch = "0", preRelease = ""] = match;
  return {
    numbers: [BigInt(major), BigInt(minor), BigInt(patch)],
    preRelease:
      preRelease === "" ? [] : preRelease.split(".").map((part) => (/^\d+$/.test(part) ? BigInt(part) : part)),
  };
}

function comparePreReleases(a: readonly Identifier[], b: readonly Identifier[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  return compareParts(a, b);
}

function compareParts(a: readonly Identifier[], b: readonly Identifier[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareIdentifiers(a[index] ?? 0n, b[index] ?? 0n);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Numbers in their order and before words; words in ASCII order. */
function compareIdentifiers(a: Identifier, b: Identifier): number {
  if (typeof a !== typeof b) return typeof a === "bigint" ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
