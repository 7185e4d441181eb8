import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { age } from "../../../../src/keys/age.ts";
import { splitCommandLine } from "../../../../src/keys/age/command-line.ts";
import { keyFile, recipientOf, testHost, type TestHost, type TestHostOptions } from "./host.ts";

const identity = (name: string): string => keyFile(`${name}.txt`).trim().split("\n").at(-1) ?? "";
const [ID1, ID2] = [identity("age1"), identity("age2")];
const PART = new Uint8Array(32).fill(7);

/** A part wrapped for age1, and unwrapped by what the host has. */
async function unwrap(options: TestHostOptions, recipient = recipientOf("age1")): Promise<TestHost> {
  const [key] = age.parse(recipient, {});
  const host = testHost(options);
  expect(await key?.unwrap(await key.wrap(PART, testHost()), host)).toEqual(Buffer.from(PART));
  return host;
}

describe("identities", () => {
  const file = keyFile("age1.txt");
  const home = { HOME: "/home/u" };
  it.each<{ name: string; options: TestHostOptions }>([
    { name: "SOPS_AGE_KEY", options: { env: { SOPS_AGE_KEY: ID1 } } },
    { name: "SOPS_AGE_KEY, several lines", options: { env: { SOPS_AGE_KEY: `# mine\n${ID2}\n\n${ID1}\n` } } },
    { name: "SOPS_AGE_KEY, several on a line", options: { env: { SOPS_AGE_KEY: `${ID2} \t${ID1}` } } },
    { name: "SOPS_AGE_KEY_FILE", options: { env: { SOPS_AGE_KEY_FILE: "k" }, files: { k: file } } },
    {
      name: "a file with CRLF",
      options: { env: { SOPS_AGE_KEY_FILE: "k" }, files: { k: file.replaceAll("\n", "\r\n") } },
    },
    {
      name: "a file with a byte order mark",
      options: { env: { SOPS_AGE_KEY_FILE: "k" }, files: { k: `\uFEFF${ID1}` } },
    },
    { name: "a file with blanks around", options: { env: { SOPS_AGE_KEY_FILE: "k" }, files: { k: `  ${ID1} \n` } } },
    {
      name: "the file in the home folder",
      options: { env: home, files: { "/home/u/.config/sops/age/keys.txt": file } },
    },
    {
      name: "the file under XDG_CONFIG_HOME",
      options: { env: { ...home, XDG_CONFIG_HOME: "/xdg" }, files: { "/xdg/sops/age/keys.txt": file } },
    },
    {
      name: "the file of macOS (J-05)",
      options: {
        platform: "darwin",
        env: { ...home, XDG_CONFIG_HOME: "" },
        files: { "/home/u/Library/Application Support/sops/age/keys.txt": file },
      },
    },
    {
      name: "the file of macOS under XDG_CONFIG_HOME",
      options: { platform: "darwin", env: { XDG_CONFIG_HOME: "/xdg" }, files: { "/xdg/sops/age/keys.txt": file } },
    },
    {
      name: "the file of Windows (J-05)",
      options: {
        platform: "win32",
        env: { APPDATA: "C:\\Users\\u\\AppData\\Roaming" },
        files: { "C:\\Users\\u\\AppData\\Roaming\\sops\\age\\keys.txt": file },
      },
    },
    {
      name: "a source after one that is missing",
      options: { env: { SOPS_AGE_KEY: ID1, SOPS_AGE_KEY_FILE: "/missing" } },
    },
    {
      name: "the right one of two sources",
      options: { env: { SOPS_AGE_KEY: ID2, SOPS_AGE_KEY_FILE: "k" }, files: { k: file } },
    },
    {
      name: "SOPS_AGE_KEY_CMD",
      options: { env: { SOPS_AGE_KEY_CMD: "cat 'my key'" }, run: () => ({ stdout: Buffer.from(file) }) },
    },
    {
      name: "an empty SOPS_AGE_KEY_CMD beside another source",
      options: { env: { SOPS_AGE_KEY_CMD: " ", SOPS_AGE_KEY: ID1 } },
    },
  ])("come from $name, without a word", async ({ options }) => {
    const host = await unwrap(options);
    expect(host.warnings).toEqual([]);
  });

  it("come from a command that is told the recipient, and asked once for each", async () => {
    const answers: Readonly<Record<string, string>> = { [recipientOf("age1")]: ID1, [recipientOf("age2")]: ID2 };
    const host = testHost({
      env: { SOPS_AGE_KEY_CMD: `pass "age key" x\\ y`, PATH: "/bin" },
      run: (_command, _args, env) => {
        expect(env["PATH"]).toBe("/bin");
        return { stdout: Buffer.from(answers[env["SOPS_AGE_RECIPIENT"] ?? ""] ?? "") };
      },
    });
    const keys = age.parse(`${recipientOf("age1")},${recipientOf("age2")}`, {});
    for (const key of [...keys, ...keys]) expect(await key.unwrap(await key.wrap(PART, host), host)).toHaveLength(32);
    expect(host.commands).toEqual(Array(2).fill(["pass", "age key", "x y"]));
  });

  it("are read once, however many files are opened", async () => {
    const host = testHost({ env: { SOPS_AGE_KEY_FILE: "k", HOME: "/h" }, files: { k: file } });
    const [key] = age.parse(recipientOf("age1"), {});
    const enc = (await key?.wrap(PART, host)) ?? "";
    for (let count = 0; count < 20; count += 1) await key?.unwrap(enc, host);
    expect(host.reads).toEqual(["k"]);
  });

  it("of native kind are found without a look at SSH keys and their commands", async () => {
    const host = await unwrap({ env: { SOPS_AGE_SSH_PRIVATE_KEY_CMD: "slow", SOPS_AGE_KEY: ID1, HOME: "/h" } });
    expect([host.reads, host.commands]).toEqual([[], []]);
  });

  it("on good lines are used, and bad lines told of by number, never by content", async () => {
    const text = `# comment\n${ID2}\n<html>\n\nAGE-SECRET-KEY-1QQQQ\n${ID1}\n`;
    const host = await unwrap({ env: { SOPS_AGE_KEY_FILE: "/my/keys" }, files: { "/my/keys": text } });
    expect(host.warnings).toEqual([
      "skipped line 3 and 1 more of the age identities in /my/keys: unknown identity type",
    ]);
  });
});

interface Transcript {
  readonly id: string;
  readonly env: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly stderr: string }[];
}

describe("a failure is told in the reference's words", () => {
  it.each([
    { id: "D-04", run: undefined },
    { id: "D-07", run: undefined },
    { id: "J-08", run: undefined },
    { id: "J-11", run: () => ({ status: 1 }) },
    { id: "J-64", run: undefined },
    { id: "J-68", run: undefined },
  ])("transcript $id", async ({ id, run }) => {
    const transcript = transcripts(id.charAt(0)).find((candidate) => candidate.id === id);
    const host = testHost({
      env: { HOME: "{HOME}", ...transcript?.env },
      files: { "{KEYS}/age2.txt": keyFile("age2.txt") },
      ...(run !== undefined && { run }),
    });
    const [key] = age.parse(recipientOf("age1"), {});
    await expect(key?.unwrap(await key.wrap(PART, host), host)).rejects.toThrow(
      expect.objectContaining({ code: "ERR_KEY", message: reportedError(transcript?.steps[0]?.stderr ?? "") }),
    );
  });

  const REASON = "failed to create reader for decrypting sops data key with age";
  it.each<{ name: string; options: TestHostOptions; message: string }>([
    {
      name: "no home folder",
      options: {},
      message:
        "failed to load age identities. Errors while loading age identities: $HOME is not defined; user config directory could not be determined: neither $XDG_CONFIG_HOME nor $HOME are defined. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', 'SOPS_AGE_KEY', 'SOPS_AGE_KEY_FILE', and 'SOPS_AGE_KEY_CMD'.",
    },
    {
      name: "an empty variable is a place without keys, at the end",
      options: { env: { HOME: "/h", SOPS_AGE_KEY: "" } },
      message:
        "failed to load age identities. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', '/h/.ssh/id_ed25519', '/h/.ssh/id_rsa', 'SOPS_AGE_KEY_FILE', 'SOPS_AGE_KEY_CMD', and 'SOPS_AGE_KEY'.",
    },
    {
      name: "two places",
      options: {
        env: {
          HOME: "/h",
          SOPS_AGE_KEY: ID2,
          SOPS_AGE_SSH_PRIVATE_KEY_FILE: "s",
          SOPS_AGE_SSH_PRIVATE_KEY_CMD: "s",
          SOPS_AGE_KEY_CMD: "s",
        },
        files: { s: keyFile("ssh_ed25519"), "/h/.ssh/id_ed25519": keyFile("ssh_ed25519") },
        run: (command) => ({ stdout: Buffer.from(command === "s" ? keyFile("ssh_ed25519") : "") }),
      },
      message: `${REASON}: no identity matched any of the recipients. Errors while loading age identities: failed to parse 'SOPS_AGE_KEY_CMD' age identities: unknown identity type. Did not find keys in locations '/h/.ssh/id_rsa' and 'SOPS_AGE_KEY_FILE'.`,
    },
    {
      name: "a command line that is not closed",
      options: { env: { HOME: "/h", SOPS_AGE_KEY: ID2, SOPS_AGE_KEY_CMD: "'secret" } },
      message: `${REASON}: identity did not match any of the recipients: incorrect identity for recipient block. Errors while loading age identities: failed to parse command SOPS_AGE_KEY_CMD: EOF found when expecting closing quote. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', '/h/.ssh/id_ed25519', '/h/.ssh/id_rsa', and 'SOPS_AGE_KEY_FILE'.`,
    },
    {
      name: "a file that is too large",
      options: { env: { HOME: "/h", SOPS_AGE_KEY_FILE: "k" }, files: { k: new Uint8Array((16 << 20) + 1) } },
      message:
        "failed to load age identities. Errors while loading age identities: failed to parse 'SOPS_AGE_KEY_FILE' age identities: larger than 16 MiB. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', '/h/.ssh/id_ed25519', '/h/.ssh/id_rsa', 'SOPS_AGE_KEY', and 'SOPS_AGE_KEY_CMD'.",
    },
    {
      name: "an SSH key that is none",
      options: {
        env: { HOME: "/h", SOPS_AGE_SSH_PRIVATE_KEY_FILE: "g.txt", SOPS_AGE_KEY: ID2 },
        files: { "g.txt": "garbage" },
      },
      message: `${REASON}: identity did not match any of the recipients: incorrect identity for recipient block. Errors while loading age identities: malformed SSH identity in "g.txt": ssh: no key found. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_CMD', '/h/.ssh/id_ed25519', '/h/.ssh/id_rsa', 'SOPS_AGE_KEY_FILE', and 'SOPS_AGE_KEY_CMD'.`,
    },
  ])("$name", async ({ options, message }) => {
    await expect(unwrap(options)).rejects.toThrow(expect.objectContaining({ code: "ERR_KEY", message }));
  });

  it("without any part of a key that could not be read", async () => {
    const broken = ID1.replace(/.$/, "Q");
    const host = testHost({ env: { HOME: "/h", SOPS_AGE_KEY: broken } });
    const [key] = age.parse(recipientOf("age1"), {});
    const error: unknown = await key?.unwrap(await key.wrap(PART, host), host).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      message: expect.stringContaining("malformed secret key: invalid checksum") as string,
    });
    expect(`${JSON.stringify(error)}${(error as Error).message}${host.warnings.join("")}`).not.toContain(
      broken.slice(20, 30),
    );
  });
});

describe("splitCommandLine", () => {
  it.each([
    { text: "cat id1", words: ["cat", "id1"] },
    { text: "  a\tb\r\nc ", words: ["a", "b", "c"] },
    { text: `a 'b "c" \\d' "e 'f' \\" \\\\ g"`, words: ["a", `b "c" \\d`, `e 'f' " \\ g`] },
    { text: `a"b"'c'd`, words: ["abcd"] },
    { text: `'' ""`, words: ["", ""] },
    { text: "a\\ b #c", words: ["a b"] },
    { text: "# all\na b#c # d", words: ["a", "b#c"] },
    { text: "$HOME * `x`", words: ["$HOME", "*", "`x`"] },
    { text: "", words: [] },
  ])("splits $text", ({ text, words }) => {
    expect(splitCommandLine(text)).toEqual(words);
  });

  it.each([
    { text: "a 'b", message: "EOF found when expecting closing quote" },
    { text: 'a "b', message: "EOF found when expecting closing quote" },
    { text: "a \\", message: "EOF found after escape character" },
  ])("refuses $text", ({ text, message }) => {
    expect(() => splitCommandLine(text)).toThrow(message);
  });
});

function transcripts(letter: string): readonly Transcript[] {
  const file = new URL(`../../../../fixtures/transcripts/${letter}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as readonly Transcript[];
}

/** The text of the first error in a report, put back on one line. */
function reportedError(report: string): string {
  const lines = report.split("\n").filter((line) => /^ +(?:- )?\| /.test(line));
  return lines.map((line) => line.replace(/^ +(?:- )?\| /, "").trim()).join(" ");
}
