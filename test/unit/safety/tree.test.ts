// The faults M1 to M14 of a whole tree, and what the MAC sees of them: each is refused, or a stated limit of the format.
import { beforeAll, describe, expect, it } from "vitest";
import { CANARY, workbench, type Workbench, type WorkbenchPolicy } from "../../support/workbench.ts";

const PLAIN = `a: ${CANARY}
b: second
"x:y": colon
x.y: dot
first_unencrypted: clear
last_unencrypted: text
list:
    - one
    - two
# a comment
`;
const SECOND_DOCUMENT = "---\na: other\n";

let bench: Workbench;
let encrypted: string;
let stranger: string;
let several: string;
let macOnly: string;

beforeAll(async () => {
  bench = workbench();
  const make = async (text: string, policy: WorkbenchPolicy = {}): Promise<string> =>
    (await bench.encrypt("yaml", text, policy)).text;
  encrypted = await make(PLAIN);
  stranger = await make(PLAIN);
  several = await make(PLAIN + SECOND_DOCUMENT);
  macOnly = await make(PLAIN, { macOnlyEncrypted: true });
});

interface Row {
  readonly id: string;
  readonly name: string;
  /** Must change the text. */
  readonly change: (text: string) => string;
  readonly status: number;
}

const withMac = (value: string) => (text: string) => text.replace(/^( *mac: ).*$/m, `$1${value}`);
const line = (text: string, key: string): string => {
  const found = new RegExp(`^ *${key}: .*$`, "m").exec(text)?.[0];
  if (found === undefined) throw new Error(`no line ${key}`);
  return found;
};

const refused: readonly Row[] = [
  { id: "M1", name: "no mac", change: (text) => text.replace(/^ *mac: .*\n/m, ""), status: 51 },
  ...['""', "null", "garbage", "ENC[AES256_GCM,data:AA==,iv:AA==,tag:AA==,type:str]"].map((value) => ({
    id: "M1",
    name: `mac: ${value}`,
    change: withMac(value),
    status: 51,
  })),
  { id: "M1", name: "mac: 12", change: withMac("12"), status: 51 },
  { id: "M1", name: "mac: a list", change: withMac("[a]"), status: 1 },
  {
    id: "M1",
    name: "the mac of another file",
    change: (text) => text.replace(line(text, "mac"), line(stranger, "mac")),
    status: 51,
  },
  {
    id: "M2",
    name: "lastmodified a second later",
    change: (text) => text.replace("03:04:05Z", "03:04:06Z"),
    status: 51,
  },
  { id: "M3", name: "lastmodified no date", change: (text) => text.replace("2026-01-02T03:04:05Z", "soon"), status: 1 },
  {
    id: "M3",
    name: "lastmodified with another notation of its zone",
    change: (text) => text.replace("03:04:05Z", "05:04:05+02:00"),
    status: 51,
  },
  { id: "M4", name: "a leaf deleted", change: (text) => text.replace(/^b: .*\n/m, ""), status: 51 },
  { id: "M4", name: "a clear leaf added", change: (text) => `z_unencrypted: more\n${text}`, status: 51 },
  { id: "M4", name: "an item doubled", change: (text) => text.replace(/^( +- ENC.*\n)/m, "$1$1"), status: 51 },
  {
    id: "M5",
    name: "items swapped",
    change: (text) => text.replace(/^( +- ENC.*\n)( +- ENC.*\n)/m, "$2$1"),
    status: 51,
  },
  { id: "M7", name: "a clear value changed", change: (text) => text.replace("clear", "shady"), status: 51 },
  {
    id: "M9",
    name: "the cells of x:y and x.y swapped",
    change: (text) => {
      const [colon = "", dot = ""] = [/^"x:y": (.*)$/m, /^x\.y: (.*)$/m].map((pattern) => pattern.exec(text)?.[1]);
      return text.replace(`"x:y": ${colon}`, `"x:y": ${dot}`).replace(`x.y: ${dot}`, `x.y: ${colon}`);
    },
    status: 25,
  },
  {
    id: "M13",
    name: "marks of a merge conflict",
    change: (text) => text.replace(/^b: .*\n/m, (old) => `<<<<<<< HEAD\n${old}=======\n${old}>>>>>>> theirs\n`),
    status: 1,
  },
  {
    id: "M14",
    name: "the metadata of another file",
    change: (text) => text.slice(0, text.indexOf("sops:")) + stranger.slice(stranger.indexOf("sops:")),
    status: 25,
  },
];

describe("a file with", () => {
  it.each(refused)("$id $name is refused", async ({ change, status }) => {
    const altered = change(encrypted);
    expect(altered).not.toBe(encrypted);
    const outcome = await bench.decrypt("yaml", altered);
    expect(outcome).toMatchObject({ status, text: "" });
    expect(outcome.message).not.toContain(CANARY);
    expect(await bench.rotate("yaml", altered)).toMatchObject({ status });
  });

  it("M6 its documents swapped is refused", async () => {
    const [first = "", second = ""] = several.split("---\n");
    const metadata = first.slice(first.indexOf("sops:"));
    const swapped = `${second}${metadata}---\n${first.replace(metadata, "")}`;
    expect(await bench.decrypt("yaml", several)).toMatchObject({ status: 0 });
    expect([1, 51]).toContain((await bench.decrypt("yaml", swapped)).status);
  });
});

it("M13 the message of a merge that was not finished says so", async () => {
  const conflict = encrypted.replace(/^b: .*\n/m, (old) => `<<<<<<< HEAD\n${old}=======\n${old}>>>>>>> theirs\n`);
  const { message } = await bench.decrypt("yaml", conflict);
  expect(message).toMatch(/line \d+.*/s);
  expect(message).toContain("an unfinished merge");
});

describe("limits of the format: the MAC does not see", () => {
  const unseen: readonly Omit<Row, "status">[] = [
    {
      id: "M8",
      name: "a byte moved from one clear value to the next",
      change: (text) =>
        text
          .replace("first_unencrypted: clear", "first_unencrypted: clea")
          .replace("last_unencrypted: text", "last_unencrypted: rtext"),
    },
    {
      id: "M8",
      name: "another name of a clear key",
      change: (text) => text.replace("first_unencrypted", "other_unencrypted"),
    },
    { id: "M8", name: "an empty value added", change: (text) => `PATH: ""\n${text}` },
    { id: "M8", name: "a null added", change: (text) => `nothing: null\n${text}` },
  ];

  it.each(unseen)("$id $name", async ({ change }) => {
    const altered = change(encrypted);
    expect(altered).not.toBe(encrypted);
    expect(await bench.decrypt("yaml", altered)).toMatchObject({ status: 0 });
  });

  it("M7 a clear value, with mac_only_encrypted", async () => {
    const altered = macOnly.replace("clear", "shady");
    expect(await bench.decrypt("yaml", altered)).toMatchObject({ status: 0 });
  });

  it("M11 an altered comment, which is shown as it is, with a warning", async () => {
    const altered = encrypted.replace(/#ENC\[.*/, "#inserted");
    const outcome = await bench.decrypt("yaml", altered);
    expect(outcome.status).toBe(0);
    expect(outcome.text).toContain("#inserted");
    expect(outcome.warnings.join()).toContain("possibly unencrypted comment");
  });
});

describe("M10 ignoring the MAC", () => {
  const seenByTheMac = refused.filter(({ status, id }) => status === 51 && id !== "M1");

  it.each(seenByTheMac)("shows a file with $name", async ({ change }) => {
    const outcome = await bench.decrypt("yaml", change(encrypted), { ignoreMac: true });
    expect(outcome.status).toBe(0);
    expect(outcome.text).toContain(CANARY);
    expect(outcome.warnings.join()).toContain("The MAC is ignored.");
  });
});

describe("M12 a comment that a rule looks for", () => {
  const COMMENTED = "# ENCRYPT\na: 1\nb: 2\n";
  const selection = { kind: "encrypted_comment_regex", pattern: "ENCRYPT" } as const;

  it("put before a clear value, or taken from an encrypted one, is refused", async () => {
    const text = (await bench.encrypt("yaml", COMMENTED, { selection })).text;
    expect(await bench.decrypt("yaml", text)).toMatchObject({ status: 0 });
    for (const altered of [text.replace("b: 2", "# ENCRYPT\nb: 2"), text.replace("# ENCRYPT\n", "")]) {
      expect(altered).not.toBe(text);
      expect([25, 51]).toContain((await bench.decrypt("yaml", altered)).status);
    }
  });
});
