import { describe, expect, it } from "vitest";
import { painter, usesColour } from "../../../src/cli/colour.ts";
import { commands, type CommandName } from "../../../src/cli/commands.ts";
import { candidates, completionScript } from "../../../src/cli/completion.ts";
import { dialects } from "../../../src/cli/dialect.ts";
import { exitCodes } from "../../../src/cli/exit-codes.ts";
import { failureReport, wrap } from "../../../src/cli/failure-report.ts";
import { parseArguments, type UsageFailure } from "../../../src/cli/grammar.ts";
import { helpText } from "../../../src/cli/help.ts";
import { formatLocalTime, formatLogLine, formatProgressLine, isShown, type LogRecord } from "../../../src/cli/log.ts";
import { keyOptionNames, options } from "../../../src/cli/options.ts";
import { editDistance, suggestCommand } from "../../../src/cli/suggest.ts";
import { renderUsageFailure, unknownTopicText, type UsageOutput } from "../../../src/cli/usage.ts";
import { keyBackends } from "../../../src/keys/registry.ts";

const { sops, leafcrypt } = dialects;
const plain = painter(false);
const topics = [...(Object.keys(commands) as CommandName[]), "groups", "completion"] as const;

describe("key options", () => {
  it("are those of the backends", () => {
    const flags = keyBackends.map(({ names }) => [names.flag, names.short, names.env]).sort();
    const table = keyOptionNames.map((name) => [name, options[name].aliases?.[0], options[name].env]).sort();
    expect(table).toEqual(flags);
  });
});

describe("log lines", () => {
  const now = new Date(2026, 0, 2, 3, 4, 5);
  const style = { isTerminal: false, isColoured: false, started: new Date(2026, 0, 2, 3, 4, 3) };
  const record: LogRecord = { component: "CMD", level: "warning", message: 'say "x"', fields: { b: "a b", a: "c-d" } };

  it("are key=value pairs where standard error is no terminal", () => {
    const time = formatLocalTime(now);
    const line = `[CMD]\t time="${time}" level=warning msg="say \\"x\\"" a=c-d b="a b"\n`;
    expect(formatLogLine(record, now, style)).toBe(line);
  });

  it.each([
    ["del", "leafcrypt: there is no command del; did you mean delete?\nSee leafcrypt --help\n"],
    ["nope", "leafcrypt: there is no command nope\nSee leafcrypt --help\n"],
  ])("about %s suggest what is there", (word, text) => {
    expect(unknownTopicText(word, leafcrypt)).toBe(text);
    expect(unknownTopicText(word, sops)).toBe(`No help topic for '${word}'\n`);
  });

  it.each([
    { level: "warning", fields: record.fields, line: 'leafcrypt: warning: say "x" (a=c-d, b="a b")\n' },
    { level: "info", fields: {}, line: 'leafcrypt: say "x"\n' },
  ] as const)("are sentences behind our own name ($level)", ({ level, fields, line }) => {
    const own = { ...style, isTerminal: true, program: "leafcrypt" };
    expect(formatLogLine({ ...record, level, fields: fields ?? {} }, now, own)).toBe(line);
  });

  it("are short and coloured on a terminal", () => {
    const line = formatLogLine({ ...record, message: "text" }, now, { ...style, isTerminal: true, isColoured: true });
    expect(line).toBe(
      `\u001B[1m[CMD]\u001B[22m\t \u001B[33mWARN\u001B[0m[0002] ${"text".padEnd(44)}  \u001B[33ma\u001B[0m=c-d \u001B[33mb\u001B[0m="a b"\n`,
    );
  });

  it.each([
    ["\u001B[31m", '"\\x1b[31m"'],
    ["a\nb", '"a\\nb"'],
    ["\u202E", '"\\u202e"'],
    ["\u{E0001}", '"\\U000e0001"'],
    ["é", '"é"'],
    ["plain.text/with-@^+", "plain.text/with-@^+"],
  ])("show %j as %s", (message, expected) => {
    expect(formatLogLine({ component: "CMD", level: "info", message }, now, style)).toContain(`msg=${expected}\n`);
  });

  it("hide what is below a warning unless asked for", () => {
    expect(isShown("info", false)).toBe(false);
    expect(isShown("info", true)).toBe(true);
    expect(isShown("warning", false)).toBe(true);
  });

  it("give progress a plain form", () => {
    expect(formatProgressLine("text", now)).toBe("2026/01/02 03:04:05 text\n");
  });

  it("write local time with its offset", () => {
    expect(formatLocalTime(now)).toMatch(/^2026-01-02T03:04:05(Z|[+-]\d\d:\d\d)$/u);
    expect(new Date(formatLocalTime(now))).toEqual(now);
  });
});

describe("colour", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
  ])("with a terminal %s and %o: %s", (isTerminal, env, expected) => {
    expect(usesColour(isTerminal, env)).toBe(expected);
  });
});

describe("the failure report", () => {
  const error =
    "failed to load age identities. Did not find keys in locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', and more";

  it("D-05: names groups, keys and errors", () => {
    const report = failureReport(
      [{ isRecovered: false, keys: [{ id: "age1x", errors: [error, "second"] }] }],
      0,
      plain,
    );
    expect(report).toBe(`Failed to get the data key required to decrypt the SOPS file.

Group 0: FAILED
  age1x: FAILED
    - | failed to load age identities. Did not find keys in
      | locations 'SOPS_AGE_SSH_PRIVATE_KEY_FILE', and more
${"    "}
    - | second

Recovery failed because no master key was able to decrypt the file. One of
the keys listed above has to be available: give its identity or credentials
to this process, and try again.
`);
  });

  it("J-58: counts the groups that were recovered", () => {
    const groups = [
      { isRecovered: true, keys: [] },
      {
        isRecovered: false,
        keys: [
          { id: "a", errors: ["x"] },
          { id: "b", errors: ["y\nz"] },
        ],
      },
    ];
    const report = failureReport(groups, 2, plain);
    expect(report).toContain(
      "\n\nGroup 0: SUCCESS\n\nGroup 1: FAILED\n  a: FAILED\n    - | x\n  \n  b: FAILED\n    - | y\n      | z\n\n",
    );
    expect(report.replaceAll("\n", " ")).toContain(
      "Shamir threshold of 2, but only 1 part(s) were successfully recovered",
    );
  });

  it("J-70: has an empty reason where no key service was asked", () => {
    expect(failureReport([{ isRecovered: false, keys: [{ id: "a", errors: [] }] }], 0, plain)).toContain(
      "\n  a: FAILED\n\n\nRecovery failed",
    );
  });

  it("is coloured on a terminal", () => {
    const report = failureReport([{ isRecovered: true, keys: [] }], 2, painter(true));
    expect(report).toContain("Group 0: \u001B[32mSUCCESS\u001B[0m\n");
  });

  it("breaks lines at white space only", () => {
    expect(wrap("aaaa bbbb cccccccccccc d\ne", 9)).toBe("aaaa bbbb\ncccccccccccc\nd\ne");
  });
});

describe("help", () => {
  it.each(topics)("on %s fits a screen and shows an example", (topic) => {
    const lines = helpText(topic, leafcrypt, "1.0.0").trimEnd().split("\n");
    expect(lines.length).toBeLessThan(25);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(lines.find((line) => line.startsWith("Example: leafcrypt "))).toBeDefined();
  });

  it.each(Object.keys(commands) as CommandName[])("the example of %s is a command line of it", (name) => {
    // The quoting of the examples is that of a shell; no option of theirs is quoted.
    const argv = commands[name].example.match(/'[^']*'|\S+/gu) ?? [];
    expect(parseArguments(argv, {}, leafcrypt)).toMatchObject({ kind: "run", command: name });
  });

  it.each(topics)("on %s has the reference's headings in its face", (topic) => {
    const headings = helpText(topic, sops, "3.13.2").match(/^[A-Z ]+:$/gmu);
    if (topic === "legacy")
      expect(headings).toEqual(["NAME:", "USAGE:", "VERSION:", "AUTHOR:", "COMMANDS:", "GLOBAL OPTIONS:"]);
    else if (topic === "groups" || topic === "completion")
      expect(headings).toEqual(["NAME:", "USAGE:", "COMMANDS:", "OPTIONS:"]);
    else expect(headings).toEqual(["NAME:", "USAGE:", "OPTIONS:"]);
  });

  it("A-05: mentions the options of decrypt", () => {
    const text = helpText("decrypt", sops, "3.13.2");
    expect(text).toContain("   --extract value ");
    expect(text).toContain("--in-place, -i ");
    expect(text).toContain("[$SOPS_DECRYPTION_ORDER]");
  });

  it("explains every option when asked for all", () => {
    const text = helpText("encrypt", leafcrypt, "1.0.0", true);
    expect(text).toContain("--shamir-secret-sharing-threshold N");
    expect(text).not.toContain("Also");
  });
});

describe("usage errors", () => {
  function usage(argv: readonly string[], dialect = sops): UsageOutput {
    const now = new Date(0);
    const logStyle = { isTerminal: false, isColoured: false, started: now };
    const failure = parseArguments(argv, {}, dialect) as UsageFailure;
    expect(failure.kind).toBe("usage");
    return renderUsageFailure(failure, { dialect, version: "3.13.2", now, logStyle });
  }

  it.each([
    ["A-13", ["--nope", "f"], "Incorrect Usage. flag provided but not defined: -nope\n\nNAME:\n"],
    ["A-14", ["decrypt", "--nope", "f"], "Incorrect Usage: flag provided but not defined: -nope\n\nNAME:\n"],
    ["A-21", ["decrypt", "--extract"], "Incorrect Usage: flag needs an argument: -extract\n\nNAME:\n"],
    ["A-23", ["-k", "a", "--kms", "b"], "Cannot use two forms of the same flag: k kms\nNAME:\n"],
    ["A-23", ["decrypt", "-i", "--in-place"], "Incorrect Usage: Cannot use two forms of the same flag: i in-place\n\n"],
    ["groups", ["groups", "--nope"], "Incorrect Usage. flag provided but not defined: -nope\n\nNAME:\n"],
  ])("%s: go to standard output with the help", (_row, argv, start) => {
    const { stdout, stderr } = usage(argv);
    expect(stdout.startsWith(start)).toBe(true);
    expect(stderr).toMatch(/^\[CMD\]\t time="[^"]+" level=fatal msg="[^\n]+"\n$/u);
  });

  it.each([
    [
      ["decrypt", "--extrct", "x"],
      "leafcrypt: unknown option --extrct; did you mean --extract?\nSee leafcrypt decrypt --help\n",
    ],
    [["decrpyt", "f"], "leafcrypt: unknown command decrpyt; did you mean decrypt?\nSee leafcrypt --help\n"],
    [["decrypt", "--ignore-mac=maybe"], "leafcrypt: --ignore-mac takes true or false\nSee leafcrypt decrypt --help\n"],
    [
      ["decrypt", "--input-type", "toml"],
      "leafcrypt: --input-type takes one of yaml, json, dotenv, ini, binary\nSee leafcrypt decrypt --help\n",
    ],
  ])("of ours are one message: %o", (argv, stderr) => {
    expect(usage(argv, leafcrypt)).toEqual({ stdout: "", stderr });
  });
});

describe("suggestions", () => {
  it.each([
    ["decrpyt", "decrypt"],
    ["encript", "encrypt"],
    ["updatekey", "updatekeys"],
    ["ste", "set"],
    ["decrypt", undefined],
    ["se", undefined],
    ["secrets.yaml", undefined],
    ["", undefined],
  ])("I-03: for %j: %s", (word, expected) => {
    expect(suggestCommand(word)).toBe(expected);
  });

  it.each([
    ["abc", "abc", 0],
    ["abc", "acb", 1],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
  ])("%j is %j by %i letters", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });
});

describe("completion", () => {
  const list = (tokens: readonly string[], dialect = sops, env = {}): readonly string[] =>
    candidates(tokens, env, dialect).trimEnd().split("\n");

  it("A-38: offers commands, described where asked", () => {
    expect(list([])).toContain("updatekeys");
    expect(list([], sops, { _CLI_ZSH_AUTOCOMPLETE_HACK: "1" })).toContain(`decrypt:${commands.decrypt.summary}`);
    expect(list(["groups"])).toEqual(["add", "delete", "help", "h"]);
  });

  it("A-39: offers options that are not on the line yet", () => {
    expect(list(["decrypt", "--ig"])).toContain("--ignore-mac");
    expect(list(["decrypt", "--ignore-mac", "--ig"])).toEqual([""]);
    expect(list(["decrypt", "--"])).not.toContain("-i");
    expect(list(["decrypt", "-"])).toContain("-i");
  });

  it("offers the words an option takes, and nothing where a file stands", () => {
    expect(list(["decrypt", "--input-type"], leafcrypt)).toEqual(["yaml", "json", "dotenv", "ini", "binary"]);
    expect(list(["decrypt"])).toEqual([""]);
    expect(list(["completion"], leafcrypt)).toContain("fish");
  });

  it("offers each option once in our own face", () => {
    const offered = list(["decrypt", "-"], leafcrypt);
    expect(new Set(offered).size).toBe(offered.length);
  });

  it.each([
    ["A-40", "bash", "complete -o bashdefault -o default -o nospace -F _cli_bash_autocomplete sops\n"],
    ["A-41", "zsh", "compdef _cli_zsh_autocomplete sops\n"],
  ] as const)("%s: the script for %s ends as callers expect", (_row, shell, end) => {
    const script = completionScript(shell, "sops");
    expect(script.endsWith(end)).toBe(true);
    expect(script.startsWith(shell === "bash" ? "\n#! /bin/bash\n" : "\n#compdef sops\n")).toBe(true);
  });
});

describe("exit statuses", () => {
  it("are numbers a process can return, and not success", () => {
    for (const status of Object.values(exitCodes)) expect(status > 0 && status < 256).toBe(true);
  });

  it("are the reference's where it has them", () => {
    expect(exitCodes).toMatchObject({
      ERR_READ: 2,
      ERR_WRITE: 3,
      ERR_EMIT: 4,
      ERR_ENCRYPTION_CONTEXT: 6,
      ERR_SET_VALUE: 7,
      ERR_CONFLICTING_OPTIONS: 8,
      ERR_ENCRYPT_VALUE: 23,
      ERR_DECRYPT_VALUE: 25,
      ERR_CHANGE_KEYS_OF_MISSING_FILE: 49,
      ERR_MAC_MISMATCH: 51,
      ERR_EXTRACT_PATH: 91,
      ERR_NO_DOCUMENT: 92,
      ERR_NO_FILE: 100,
      ERR_DECRYPTION_ORDER: 112,
      ERR_DATA_KEY: 128,
      ERR_UNCHANGED: 200,
      ERR_EDITOR: 201,
      ERR_VERSION: 202,
      ERR_ALREADY_ENCRYPTED: 203,
    });
  });
});
