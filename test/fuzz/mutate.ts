/** Numbers from a seed, so that a finding can be had again. */
export class Randomness {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number from 0 up to `end`, exclusive (mulberry32). */
  below(end: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * end);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** What means something in one format or another. Values that must never be in a message are marked with `CANARY`. */
export const CANARY = "hunter2canary";

const CELL =
  "ENC[AES256_GCM,data:KkDwEw==,iv:pHGTA8QZv1E5cYwGVftvUMhHK3wS6nk+Z0ODM77t3lY=,tag:DGu9sCMGGG1ybam+sqNmAQ==,type:str]";

const WORDS: readonly string[] = [
  ...["\n", "\n\n", "\r\n", "\r", "\t", " ", "    ", "\u0085", "\u2028", "\ufeff", "\0", "\x1b", "\x7f", "\xa0"],
  ...["---\n", "...\n", "--- ", "%YAML 1.1\n---\n", "%TAG ! x\n", "# ", "#", " #c\n", ";", "; c\n", "//", "/*"],
  ...[
    ":",
    ": ",
    "? ",
    "- ",
    "-",
    "- - ",
    ", ",
    "[",
    "]",
    "{",
    "}",
    "[]",
    "{}",
    "[s]\n",
    "[s",
    "]]",
    "{a: 1}",
    "<<: *a\n",
  ],
  ...["&a ", "*a", "*a ", "!!str ", "!!binary ", "!!int ", "!!float ", "!!null ", "!t ", "! ", "!!set "],
  ...["|\n", ">\n", "|-\n", "|+\n", "|2\n", ">-\n", "| # c\n", "|9\n"],
  ...['"', "'", '""', "''", '"""', "`", "\\", "\\n", '\\"', "\\u0041", "\\ud83d\\ude00", "\\ud800", "\\x41", "\\/"],
  ...["=", " = ", "export ", "A=b\n", "a = b\n", "-=x\n", "sops", "sops:", "sops_", "sops_mac=", "[sops]\n"],
  ...[
    "null",
    "~",
    "true",
    "True",
    "no",
    "0",
    "-0",
    "-0.0",
    "007",
    "0x1F",
    "1_000",
    "1e400",
    "1.10",
    ".5",
    ".inf",
    ".nan",
  ],
  ...[
    "9223372036854775807",
    "18446744073709551615",
    "2024-01-02",
    "2024-01-02T03:04:05.5+07:06",
    "12:30:45",
    "<<",
    "=>",
  ],
  ...["a", "k: v\n", '"k": "v",', "é", "日本", "😀", "\ud83d", "__proto__", "constructor", "x_unencrypted", CANARY],
  ...[
    `k: ${CANARY}\n`,
    `"${CANARY}"`,
    `'${CANARY}`,
    `K=${CANARY}\n`,
    `# ${CANARY}\n`,
    CELL,
    `- ${CELL}\n`,
    `#${CELL}\n`,
  ],
];

/** Changes a text in one to four places. `other` is one to take pieces from. */
export function mutate(text: string, other: string, random: Randomness): string {
  let result = text;
  for (let count = 1 + random.below(4); count > 0; count -= 1) result = random.pick(mutations)(result, random, other);
  return result;
}

type Mutation = (text: string, random: Randomness, other: string) => string;

const mutations: readonly Mutation[] = [
  insertWord,
  insertWord,
  insertWord,
  replaceByWord,
  remove,
  repeat,
  reindent,
  swapLines,
  takeLines,
  cut,
  join,
];

function insertWord(text: string, random: Randomness): string {
  const at = offset(text, random);
  return text.slice(0, at) + random.pick(WORDS) + text.slice(at);
}

function replaceByWord(text: string, random: Randomness): string {
  const at = offset(text, random);
  return text.slice(0, at) + random.pick(WORDS) + text.slice(at + random.below(12));
}

function remove(text: string, random: Randomness): string {
  const at = offset(text, random);
  return text.slice(0, at) + text.slice(at + 1 + random.below(random.below(4) === 0 ? 200 : 8));
}

function repeat(text: string, random: Randomness): string {
  const at = offset(text, random);
  const part = text.slice(at, at + 1 + random.below(30));
  return text.slice(0, at) + part.repeat(2 + random.below(random.below(20) === 0 ? 3_000 : 3)) + text.slice(at);
}

function reindent(text: string, random: Randomness): string {
  return changeLine(text, random, (line) => " ".repeat(random.below(8)) + line.trimStart());
}

function swapLines(text: string, random: Randomness): string {
  const lines = text.split("\n");
  const [from, to] = [random.below(lines.length), random.below(lines.length)];
  [lines[from], lines[to]] = [lines[to] ?? "", lines[from] ?? ""];
  return lines.join("\n");
}

function takeLines(text: string, random: Randomness, other: string): string {
  const lines = text.split("\n");
  const others = other.split("\n");
  const from = random.below(others.length);
  lines.splice(random.below(lines.length + 1), random.below(3), ...others.slice(from, from + 1 + random.below(4)));
  return lines.join("\n");
}

function cut(text: string, random: Randomness): string {
  return random.below(3) === 0 ? text.slice(0, offset(text, random)) : text;
}

function join(text: string, random: Randomness): string {
  return changeLine(text, random, (line, next) => `${line} ${next}`, 2);
}

function changeLine(
  text: string,
  random: Randomness,
  change: (line: string, next: string) => string,
  count = 1,
): string {
  const lines = text.split("\n");
  const index = random.below(lines.length);
  lines.splice(index, count, change(lines[index] ?? "", lines[index + 1] ?? ""));
  return lines.join("\n");
}

function offset(text: string, random: Randomness): number {
  return random.below(text.length + 1);
}
