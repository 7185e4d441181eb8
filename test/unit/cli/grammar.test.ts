import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commands, optionsOf, type CommandName } from "../../../src/cli/commands.ts";
import { detectDialect, dialects, type Dialect } from "../../../src/cli/dialect.ts";
import { parseArguments, type Invocation, type Request } from "../../../src/cli/grammar.ts";
import { options, spellings } from "../../../src/cli/options.ts";

const { sops, leafcrypt } = dialects;

function parse(argv: readonly string[], dialect: Dialect = sops, env: Record<string, string> = {}): Request {
  return parseArguments(argv, env, dialect);
}

function run(argv: readonly string[], dialect: Dialect = sops, env: Record<string, string> = {}): Invocation {
  const request = parse(argv, dialect, env);
  if (request.kind !== "run") throw new Error(`not run but ${JSON.stringify(request)}`);
  return request;
}

function problem(argv: readonly string[], dialect: Dialect = sops, env: Record<string, string> = {}): unknown {
  const request = parse(argv, dialect, env);
  return request.kind === "usage" ? request.problem : request;
}

describe("the dialect", () => {
  it.each([
    ["sops", {}, "sops"],
    ["sops.exe", {}, "sops"],
    ["SOPS.EXE", {}, "sops"],
    ["leafcrypt", {}, "leafcrypt"],
    ["leafcrypt.cjs", {}, "leafcrypt"],
    ["my-sops", {}, "leafcrypt"],
    ["leafcrypt", { LEAFCRYPT_COMPAT: "sops" }, "sops"],
    ["leafcrypt", { LEAFCRYPT_COMPAT: "1" }, "leafcrypt"],
  ])("of %s with %o is %s", (name, env, expected) => {
    expect(detectDialect(name, env).name).toBe(expected);
  });
});

describe("one command line", () => {
  it.each<{ row: string; argv: string[]; command?: CommandName; values: object; positionals?: string[] }>([
    { row: "A-15", argv: ["-decrypt", "f"], values: { decrypt: true } },
    { row: "A-16", argv: ["--d", "f"], values: { decrypt: true } },
    { row: "A-18", argv: ["-d=true", "--output-type=json", "f"], values: { decrypt: true, "output-type": "json" } },
    { row: "A-19", argv: ["decrypt", "--ignore-mac=false", "f"], command: "decrypt", values: { "ignore-mac": false } },
    {
      row: "A-22",
      argv: ["decrypt", "--output-type", "yaml", "--output-type", "json", "f"],
      command: "decrypt",
      values: { "output-type": "json" },
    },
    { row: "A-24", argv: ["decrypt", "--", "f"], command: "decrypt", values: {} },
    { row: "A-25", argv: ["decrypt", "f", "--extract", '["b"]'], command: "decrypt", values: { extract: '["b"]' } },
    {
      row: "A-26",
      argv: ["decrypt", "--ignore-mac", "f", "--output-type", "json"],
      command: "decrypt",
      values: { "ignore-mac": true, "output-type": "json" },
    },
    { row: "A-27", argv: ["-d", "f", "--extract", '["b"]'], values: { decrypt: true, extract: '["b"]' } },
    { row: "A-29", argv: ["-d", "./edit"], values: { decrypt: true }, positionals: ["./edit"] },
    { row: "A-31", argv: ["--config", "c", "encrypt", "f"], command: "encrypt", values: { config: "c" } },
    { row: "A-32", argv: ["--ignore-mac", "decrypt", "f"], command: "decrypt", values: { "ignore-mac": true } },
    { row: "A-51", argv: ["--indent", "0x2", "decrypt", "f"], command: "decrypt", values: { indent: 2 } },
    { row: "A-56", argv: ["decrypt", ""], command: "decrypt", values: {}, positionals: [""] },
    {
      row: "B-07",
      argv: ["decrypt", "--input-type", "yml", "f"],
      command: "decrypt",
      values: { "input-type": "yaml" },
    },
    { row: "B-34", argv: ["decrypt", "-"], command: "decrypt", values: {}, positionals: ["-"] },
    { row: "CF-53", argv: ["encrypt", "--config", "c", "f"], command: "encrypt", values: { config: "c" } },
    {
      row: "F-15",
      argv: ["set", "f", "--value-file", '["b"]', "v"],
      command: "set",
      values: { "value-file": true },
      positionals: ["f", '["b"]', "v"],
    },
    {
      row: "F-39",
      argv: ["set", "f", '["b"]', '"x"', "--idempotent"],
      command: "set",
      values: { idempotent: true },
      positionals: ["f", '["b"]', '"x"'],
    },
    {
      row: "I-05",
      argv: ["encrypt", "f", "--encrypted-comment-regex", "x", "--mac-only-encrypted", "--indent", "3", "--verbose"],
      command: "encrypt",
      values: { "encrypted-comment-regex": "x", "mac-only-encrypted": true, indent: 3, verbose: true },
    },
    { row: "I-06", argv: ["rotate", "--ignore-mac", "f"], command: "rotate", values: { "ignore-mac": true } },
    {
      row: "a negative number as JSON",
      argv: ["set", "f", '["a"]', "-5"],
      command: "set",
      values: {},
      positionals: ["f", '["a"]', "-5"],
    },
    {
      row: "a value that looks like an option",
      argv: ["decrypt", "--extract", "-i"],
      command: "decrypt",
      values: { extract: "-i" },
      positionals: [],
    },
    { row: "an empty type", argv: ["decrypt", "--input-type", "", "f"], command: "decrypt", values: {} },
    {
      row: "K-08",
      argv: ["keyservice", "--net", "unix", "--addr", "s"],
      command: "keyservice",
      values: { network: "unix", address: "s" },
      positionals: [],
    },
  ])("$row: reads $argv", ({ argv, command = "legacy", values, positionals = ["f"] }) => {
    for (const dialect of [sops, leafcrypt]) {
      const invocation = run(argv, dialect);
      expect(invocation.command).toBe(command);
      const defaults = command === "keyservice" ? {} : { "enable-local-keyservice": true };
      expect(invocation.values).toEqual({ ...defaults, ...values });
      expect(invocation.positionals).toEqual(positionals);
      expect(invocation.warnings).toEqual([]);
    }
  });

  it("keeps apart what stands after --", () => {
    expect(run(["exec-env", "f", "--", "env", "-i"])).toMatchObject({
      positionals: ["f", "env", "-i"],
      afterDashes: ["env", "-i"],
    });
    expect(run(["exec-env", "f", "env"])).not.toHaveProperty("afterDashes");
  });

  it("says where values come from", () => {
    const invocation = run(["decrypt", "--output", "o", "f"], sops, { SOPS_DECRYPTION_ORDER: "pgp" });
    expect(invocation.origins).toEqual({ output: "argument", "decryption-order": "environment" });
  });

  it("reads every spelling of every option with one dash and with two, before and after the operand", () => {
    for (const command of Object.keys(commands) as CommandName[])
      for (const name of optionsOf(command)) {
        if (name === "help" || name === "version") continue;
        const spec = options[name];
        const sample =
          { switch: true, integer: 7, choice: "choices" in spec ? spec.choices[0] : "" }[spec.kind as string] ?? "x";
        const value = spec.kind === "switch" ? [] : [String(sample)];
        const words = command === "legacy" ? [] : command.split(" ");
        for (const spelling of spellings(name))
          for (const dashes of ["-", "--"])
            for (const tokens of [
              [dashes + spelling, ...value, "f"],
              ["f", dashes + spelling, ...value],
            ])
              for (const dialect of [sops, leafcrypt])
                expect(run([...words, ...tokens], dialect).values[name], `${command} ${spelling}`).toEqual(
                  spec.kind === "list" ? [sample] : sample,
                );
      }
  });

  it("never throws, and keeps operands in order", () => {
    const words = [
      "decrypt",
      "set",
      "groups",
      "add",
      "-i",
      "--indent",
      "3",
      "--",
      "-",
      "f",
      "--extract=x",
      "-di",
      "--nope",
    ];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string())), fc.boolean(), (argv, ours) => {
        const request = parse(argv, ours ? leafcrypt : sops);
        if (request.kind !== "run") return;
        let from = 0;
        for (const operand of request.positionals) {
          from = argv.indexOf(operand, from) + 1;
          expect(from).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe("what is refused", () => {
  it.each<[row: string, argv: string[], problem: object]>([
    ["A-13", ["--nope", "f"], { kind: "unknown", spelling: "nope" }],
    ["A-14", ["decrypt", "--nope", "f"], { kind: "unknown", spelling: "nope" }],
    ["A-17", ["-di", "f"], { kind: "unknown", spelling: "di" }],
    ["A-20", ["decrypt", "--ignore-mac=maybe", "f"], { kind: "not-boolean", spelling: "ignore-mac", text: "maybe" }],
    ["A-21", ["decrypt", "--extract"], { kind: "no-value", spelling: "extract" }],
    ["A-23", ["-k", "a", "--kms", "b", "-e", "f"], { kind: "two-spellings", first: "k", second: "kms" }],
    ["A-36", ["decrypt", "--age", "a", "f"], { kind: "unknown", spelling: "age" }],
    ["A-50", ["--indent", "x", "decrypt", "f"], { kind: "not-integer", spelling: "indent", text: "x" }],
    ["I-01", ["-d", "f", "--nope"], { kind: "unknown", spelling: "nope" }],
    ["I-07", ["decrypt", "--input-type", "toml", "f"], { kind: "not-a-choice", spelling: "input-type" }],
    ["range", ["--indent", "99999999999999999999", "f"], { kind: "out-of-range", spelling: "indent" }],
    ["syntax", ["decrypt", "---x"], { kind: "syntax", spelling: "---x" }],
  ])("%s: %o", (_row, argv, expected) => {
    expect(problem(argv)).toMatchObject(expected);
  });

  it("is less for the reference's callers than for ours", () => {
    expect(run(["decrypt", "f", "--nope"]).warnings).toHaveLength(2);
    expect(problem(["decrypt", "f", "--nope"], leafcrypt)).toEqual({ kind: "unknown", spelling: "nope" });
    expect(run(["--extract", "x", "encrypt", "f"]).warnings).toEqual(["option --extract has no effect on encrypt"]);
    expect(problem(["--extract", "x", "encrypt", "f"], leafcrypt)).toEqual({ kind: "useless", spelling: "extract" });
    expect(run(["publish", "f", "g"]).warnings).toHaveLength(1);
    expect(problem(["edit", "f", "g"], leafcrypt)).toEqual({ kind: "too-many-operands" });
  });

  it("A-28: warns of operands that are ignored, and names the last that looks like an option without its value", () => {
    expect(run(["decrypt", "f", "g"]).warnings).toEqual([expect.stringContaining("More than one positional argument")]);
    const [, second] = run(["decrypt", "f", "--a", "--b=secret"]).warnings;
    expect(second).toContain('"--b"');
    expect(second).not.toContain("secret");
    expect(run(["decrypt", "f", "g"], leafcrypt).warnings).toEqual([]);
  });
});

describe("in our own face", () => {
  it("letters can be bundled if all are switches", () => {
    expect(run(["-di", "f"], leafcrypt).values).toMatchObject({ decrypt: true, "in-place": true });
    expect(problem(["-dk", "f"], leafcrypt)).toEqual({ kind: "unknown", spelling: "dk" });
  });

  it("repeated keys add up, as they do everywhere for groups add", () => {
    const argv = ["encrypt", "--age", "a", "-a", "b", "f"];
    expect(run(argv, leafcrypt).values.age).toBe("a,b");
    expect(run(["encrypt", "--age", "a", "--age", "b", "f"]).values.age).toBe("b");
    expect(run(["groups", "add", "-f", "f", "--age", "a", "--age", "b"]).values.age).toBe("a,b");
  });

  it("a mistyped command is no file name", () => {
    expect(problem(["decrpyt", "f"], leafcrypt)).toEqual({ kind: "unknown-command", word: "decrpyt" });
    expect(problem(["status", "f"], leafcrypt)).toEqual({ kind: "unknown-command", word: "status" });
    expect(problem(["one.yaml", "two"], leafcrypt)).toEqual({ kind: "too-many-operands" });
    expect(run(["decrpyt", "f"]).command).toBe("legacy");
  });
});

describe("the environment", () => {
  it("gives defaults that arguments override", () => {
    const env = { SOPS_AGE_RECIPIENTS: "a", SOPS_CONFIG: "c", SOPS_KEYSERVICE: "tcp://a, ,tcp://b" };
    expect(run(["encrypt", "f"], sops, env).values).toMatchObject({
      age: "a",
      config: "c",
      keyservice: ["tcp://a", "tcp://b"],
    });
    expect(run(["encrypt", "--age", "b", "f"], leafcrypt, env).values.age).toBe("b");
  });

  it("A-42, I-11: only matters to the commands that use the variable", () => {
    const env = { SOPS_ENABLE_LOCAL_KEYSERVICE: "maybe", SOPS_DISABLE_VERSION_CHECK: "yes" };
    expect(problem(["decrypt", "f"], sops, env)).toEqual({
      kind: "variable",
      variable: "SOPS_ENABLE_LOCAL_KEYSERVICE",
      name: "enable-local-keyservice",
    });
    expect(run(["filestatus", "f"], sops, env).command).toBe("filestatus");
    expect(run(["decrypt", "f"], sops, { SOPS_DISABLE_VERSION_CHECK: "yes" }).command).toBe("decrypt");
  });

  it("A-43, I-11: an empty variable is as good as none", () => {
    expect(run(["decrypt", "f"], sops, { SOPS_ENABLE_LOCAL_KEYSERVICE: "" }).values["enable-local-keyservice"]).toBe(
      true,
    );
    expect(run(["encrypt", "f"], sops, { SOPS_AGE_RECIPIENTS: "" }).values).not.toHaveProperty("age");
  });

  it("does not name keys for a group that is added", () => {
    expect(run(["groups", "add"], sops, { SOPS_AGE_RECIPIENTS: "a" }).values).not.toHaveProperty("age");
  });
});

describe("what is answered at once", () => {
  it.each<[row: string, argv: string[], request: object]>([
    ["A-02", ["--help"], { kind: "help", topic: "legacy", isFull: false }],
    ["A-03", ["-h"], { kind: "help", topic: "legacy", isFull: false }],
    ["A-04", ["help"], { kind: "help", topic: "legacy", isFull: false }],
    ["A-04", ["h"], { kind: "help", topic: "legacy", isFull: false }],
    ["A-05", ["help", "decrypt"], { kind: "help", topic: "decrypt", isFull: false }],
    ["A-05", ["decrypt", "-h"], { kind: "help", topic: "decrypt", isFull: false }],
    ["A-05", ["decrypt", "f", "--help"], { kind: "help", topic: "decrypt", isFull: false }],
    ["A-05", ["groups", "add", "--help"], { kind: "help", topic: "groups add", isFull: false }],
    ["A-05", ["help", "groups", "add"], { kind: "help", topic: "groups add", isFull: false }],
    ["A-05", ["groups", "help", "add"], { kind: "help", topic: "groups add", isFull: false }],
    ["all", ["help", "--all", "encrypt"], { kind: "help", topic: "encrypt", isFull: true }],
    ["A-06", ["help", "nope"], { kind: "unknown-topic", word: "nope" }],
    ["A-07", ["groups"], { kind: "help", topic: "groups", isFull: false }],
    ["A-07", ["completion"], { kind: "help", topic: "completion", isFull: false }],
    ["A-08", ["groups", "nope"], { kind: "unknown-topic", word: "nope" }],
    ["A-08", ["completion", "fish"], { kind: "unknown-topic", word: "fish" }],
    ["A-09", ["--version", "--disable-version-check"], { kind: "version", checksForUpdates: false }],
    ["A-11", ["--version", "--check-for-updates"], { kind: "version", checksForUpdates: true }],
    ["A-12", ["-v"], { kind: "version", checksForUpdates: false }],
    ["A-38", ["--generate-bash-completion"], { kind: "candidates", tokens: [] }],
    ["A-40", ["completion", "bash"], { kind: "completion-script", shell: "bash" }],
    ["A-41", ["completion", "zsh"], { kind: "completion-script", shell: "zsh" }],
  ])("%s: %o", (_row, argv, expected) => {
    expect(parse(argv)).toEqual(expected);
  });

  it("knows four shells in our own face", () => {
    for (const shell of ["bash", "zsh", "fish", "powershell"])
      expect(parse(["completion", shell], leafcrypt)).toEqual({ kind: "completion-script", shell });
  });

  it.each([["--help=false"], ["--version=false"]])("not for %s", (token) => {
    expect(parse([token]).kind).toBe("run");
  });
});
