import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { identityFile, R1, R2, recipientOf } from "../support/keys.ts";
import { fixtures, sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

/** Programs that run `sops` (cli-behaviour.md 11), with the command lines they use and the bytes they look for. */

const plain = "database:\n    password: hunter2\n    port: 5432\n";
const config = `creation_rules:\n  - age: ${R1}\n`;

let box: Sandbox;

beforeEach(() => {
  box = sandbox({ ".sops.yaml": config, "secrets.yaml": plain }, { SOPS_AGE_KEY_FILE: identityFile("age1") });
});

afterEach(() => {
  box.remove();
});

/** Runs lines of a shell as a caller's script would, with ours as `sops` on the PATH. */
function shell(script: string, env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
  return box.start(["sh", "-c", script], { env });
}

async function encrypted(path = "secrets.yaml"): Promise<void> {
  expect(await box.sops("encrypt", "-i", path)).toMatchObject({ status: 0, stdout: "", stderr: "" });
}

const isUnix = process.platform !== "win32";

describe.skipIf(!isUnix)("helm-secrets", () => {
  /**
   * A wrapper after the manner of the plugin: both streams together, detection by grep, the type by extension for
   * encryption and by content for decryption.
   */
  const wrapper = `
    run() { sops "$@" 2>&1; }
    is_encrypted() { grep -q 'mac.*,type:str]' "$1"; }
    type_of() {
      if grep -xq 'sops:[[:space:]]*' "$1"; then echo yaml
      elif grep -q '"data": "ENC' "$1"; then echo binary
      else echo json; fi
    }
    encrypt() { run --encrypt --input-type "$1" --output-type "$1" --in-place "$2"; }
    decrypt() { t=$(type_of "$1"); run --decrypt --input-type "$t" --output-type "$t" "$1"; }
    decrypt_to() { t=$(type_of "$1"); run --decrypt --input-type "$t" --output-type "$t" --output "$2" "$1"; }
    decrypt_in_place() { t=$(type_of "$1"); run --decrypt --input-type "$t" --output-type "$t" --in-place "$1"; }
    edit() { (cd "$(dirname "$1")" && run --input-type yaml --output-type yaml "$(basename "$1")"); }
  `;

  it.each([
    { file: "secrets.yaml", type: "yaml", text: plain },
    { file: "secrets.json", type: "json", text: '{\n\t"a": "hunter2"\n}\n' },
    { file: "secrets.tar", type: "binary", text: "any bytes, no line end" },
  ])("finds out that $file is encrypted, and which type it is", async ({ file, type, text }) => {
    box.write(file, text);
    const before = `is_encrypted ${file} && echo early`;
    const result = await shell(
      `${wrapper} ${before}; encrypt ${type} ${file} && is_encrypted ${file} && type_of ${file} && decrypt ${file}`,
    );
    expect(result).toMatchObject({ status: 0, stdout: `${type}\n${text}`, stderr: "" });
  });

  it("decrypts to another file and in place, with nothing on either stream", async () => {
    const script = `${wrapper} encrypt yaml secrets.yaml && decrypt_to secrets.yaml secrets.yaml.dec && decrypt_in_place secrets.yaml`;
    expect(await shell(script)).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(box.read("secrets.yaml.dec")).toBe(plain);
    expect(box.read("secrets.yaml")).toBe(plain);
  });

  it("decrypts a literal from a pipe", async () => {
    box.write("values.json", '{"key": "hunter2"}');
    const literal = `printf %s "$(cat values.json)" | sops --decrypt --input-type json --output-type json /dev/stdin 2>&1`;
    const result = await shell(`${wrapper} encrypt json values.json && ${literal}`);
    expect(result).toMatchObject({ status: 0, stdout: '{\n\t"key": "hunter2"\n}\n' });
  });

  it("edits in the file's folder", async () => {
    box.write("chart/secrets.yaml", plain);
    const script = `${wrapper} encrypt yaml chart/secrets.yaml && edit chart/secrets.yaml && decrypt chart/secrets.yaml`;
    const result = await shell(script, { EDITOR: "sed -i s/hunter2/changed/" });
    expect(result).toMatchObject({ status: 0, stdout: plain.replace("hunter2", "changed") });
  });

  it("sees a failure by the status, and its reason among the output", async () => {
    await encrypted();
    const result = await shell(`${wrapper} decrypt secrets.yaml`, { SOPS_AGE_KEY_FILE: identityFile("age2") });
    expect(result.status).toBe(128);
    expect(result.stdout).toContain("Failed to get the data key required to decrypt the SOPS file.");
  });
});

describe.skipIf(!isUnix)("Ansible's community.sops", () => {
  /** The statuses that the collection has names for. */
  const names: Readonly<Record<number, string>> = {
    1: "ErrorGeneric",
    2: "CouldNotReadInputFile",
    3: "CouldNotWriteOutputFile",
    4: "ErrorDumpingTree",
    7: "ErrorInvalidSetFormat",
    8: "ErrorConflictingParameters",
    25: "ErrorDecryptingTree",
    49: "CannotChangeKeysFromNonExistentFile",
    51: "MacMismatch",
    91: "InvalidTreePathFormat",
    100: "NoFileSpecified",
    128: "CouldNotRetrieveKey",
    200: "FileHasNotBeenModified",
    201: "NoEditorFound",
    203: "FileAlreadyEncrypted",
  };

  it("finds a version it knows", async () => {
    const { status, stdout } = await box.sops("--version", "--disable-version-check");
    expect(status).toBe(0);
    const [, ...version] = /^sops (\d+)\.(\d+)\.(\d+)/u.exec(stdout) ?? [];
    const [major = 0, minor = 0, patch = 0] = version.map(Number);
    expect(major * 1_000_000 + minor * 1000 + patch).toBeGreaterThanOrEqual(3_013_002);
  });

  it.each([
    { style: "a command", decrypt: "sops --config .sops.yaml decrypt", encrypt: "sops --config .sops.yaml encrypt" },
    { style: "the older style", decrypt: "sops --config .sops.yaml", encrypt: "sops --config .sops.yaml" },
  ])("looks a value up through standard input, with $style", async ({ decrypt, encrypt }) => {
    const isCommand = decrypt.endsWith("decrypt");
    const types = "--input-type yaml --output-type yaml";
    const to = isCommand
      ? `${encrypt} ${types} --filename-override group_vars/all.sops.yaml`
      : `${encrypt} ${types} -e`;
    const from = isCommand ? `${decrypt} ${types}` : `${decrypt} ${types} --decrypt`;
    const result = await shell(
      `cat secrets.yaml | ${to} /dev/stdin > all.sops.yaml && cat all.sops.yaml | ${from} /dev/stdin`,
    );
    expect(result).toMatchObject({ status: 0, stdout: plain, stderr: "" });
    expect(box.read("all.sops.yaml")).toContain("password: ENC[AES256_GCM,");
  });

  it("reaches keys through a key service only", async () => {
    await encrypted();
    const service = "sops keyservice --network unix --address ks.sock & service=$!";
    const wait = "i=0; while [ ! -S ks.sock ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i+1)); done";
    const options = "--enable-local-keyservice=false --keyservice unix://$PWD/ks.sock";
    const lookup = `SOPS_AGE_KEY_FILE= sops --config .sops.yaml decrypt ${options} --input-type yaml --output-type yaml secrets.yaml`;
    const result = await shell(`${service}; ${wait}; ${lookup}; status=$?; kill $service; wait $service; exit $status`);
    expect(result).toMatchObject({ status: 0, stdout: plain });
  });

  it("reads the status of a file as JSON", async () => {
    const status = async (path: string): Promise<unknown> =>
      (JSON.parse((await box.sops("filestatus", path)).stdout) as { encrypted: unknown }).encrypted;
    expect(await status("secrets.yaml")).toBe(false);
    await encrypted();
    expect(await status("secrets.yaml")).toBe(true);
  });

  it.each<{ name: string; argv: readonly string[]; status: number; env?: Readonly<Record<string, string>> }>([
    { name: "not encrypted", argv: ["decrypt", "plain.yaml"], status: 1 },
    { name: "a folder", argv: ["decrypt", "folder"], status: 2 },
    { name: "no folder to write to", argv: ["decrypt", "--output", "no/such/file", "secrets.yaml"], status: 3 },
    { name: "no such output", argv: ["decrypt", "--output-type", "binary", "secrets.yaml"], status: 4 },
    { name: "no JSON", argv: ["set", "secrets.yaml", '["a"]', "word"], status: 7 },
    { name: "contradiction", argv: ["decrypt", "-i", "--output", "x", "secrets.yaml"], status: 8 },
    { name: "moved values", argv: ["decrypt", "moved.yaml"], status: 25 },
    { name: "keys of nothing", argv: ["rotate", "--add-age", R2, "nope.yaml"], status: 49 },
    { name: "another MAC", argv: ["decrypt", "badmac.yaml"], status: 51 },
    { name: "no path", argv: ["decrypt", "--extract", "a", "secrets.yaml"], status: 91 },
    { name: "no file", argv: ["decrypt", "nope.yaml"], status: 100 },
    { name: "no key", argv: ["decrypt", "secrets.yaml"], status: 128, env: { SOPS_AGE_KEY_FILE: "" } },
    { name: "no change", argv: ["edit", "secrets.yaml"], status: 200, env: { EDITOR: "true" } },
    { name: "no editor", argv: ["edit", "secrets.yaml"], status: 201, env: { EDITOR: "./nope" } },
    { name: "encrypted already", argv: ["encrypt", "secrets.yaml"], status: 203 },
  ])("names the failure: $name", async ({ argv, status, env = {} }) => {
    await encrypted();
    box.write("plain.yaml", plain);
    box.write("folder/x", "");
    const text = box.read("secrets.yaml");
    const [password = "", port = ""] = text.match(/ENC\[[^\]]*\]/gu) ?? [];
    box.write("moved.yaml", text.replace(port, password));
    box.write("badmac.yaml", text.replace(/ {4}port: .*\n/u, ""));
    const result = await box.start(["sops", ...argv], { env });
    expect(result).toMatchObject({ status, stdout: "" });
    expect(names).toHaveProperty(String(status));
    expect(result.stderr).not.toBe("");
  });
});

describe.skipIf(!isUnix)("the VS Code extension", () => {
  const general = ["--aws-profile", "p", "--ignore-mac", "--config", "/dev/null"];
  const types = ["--output-type", "yaml", "--input-type", "yaml"];

  it("decrypts a copy without extension", async () => {
    await encrypted();
    box.write("tmp/9e107d9d372bb682", box.read("secrets.yaml"));
    const result = await box.sops(...general, ...types, "--decrypt", "tmp/9e107d9d372bb682");
    expect(result).toMatchObject({ status: 0, stdout: plain, stderr: "" });
  });

  it("edits by an editor that copies the new text over the file", async () => {
    await encrypted();
    box.write("tmp/encrypted", box.read("secrets.yaml"));
    box.write("tmp/decrypted", "database:\n    password: new\n    port: 5432\n");
    box.write("tmp/editor", '#!/bin/sh\ncat "$DECRYPTED_FILE_PATH" > "$1"\n', 0o755);
    const env = { EDITOR: join(box.dir, "tmp/editor"), DECRYPTED_FILE_PATH: join(box.dir, "tmp/decrypted") };
    const before = cellOf(box.read("tmp/encrypted"), "port");
    expect(await box.start(["sops", ...general, ...types, "tmp/encrypted"], { env })).toMatchObject({ status: 0 });
    expect(cellOf(box.read("tmp/encrypted"), "port")).toBe(before);
    const result = await box.sops(...general, ...types, "--decrypt", "tmp/encrypted");
    expect(result.stdout).toBe(box.read("tmp/decrypted"));
  });

  it("encrypts a new file in a copy of the configuration's folder, and looks for the words of no rule", async () => {
    box.write("tmp/.sops.yaml", `creation_rules:\n  - path_regex: ^sub/\n    age: ${R1}\n`);
    box.write("tmp/sub/new.yaml", plain);
    box.write("tmp/new.yaml", plain);
    const encrypt = (path: string): Promise<RunResult> =>
      box.sops("--config", "tmp/.sops.yaml", ...types, "--encrypt", path);
    expect((await encrypt("tmp/sub/new.yaml")).stdout).toContain("sops:\n");
    expect((await encrypt("tmp/new.yaml")).stderr).toContain("no matching creation rules found");
  });
});

function cellOf(text: string, key: string): string | undefined {
  return new RegExp(`${key}: (ENC\\[.*?\\])`, "u").exec(text)?.[1];
}

const hasGpg = existsSync("/usr/bin/gpg");

describe.skipIf(!hasGpg)("kapp-controller (needs gpg)", () => {
  let gnupg: string;

  beforeAll(() => {
    gnupg = mkdtempSync(join(tmpdir(), "lc-gpg-"));
    chmodSync(gnupg, 0o700);
    const key = join(fixtures, "keys/pgp-rsa.sec.asc");
    execFileSync("gpg", ["--homedir", gnupg, "--batch", "--quiet", "--import", key], { stdio: "ignore" });
  });

  afterAll(() => {
    execFileSync("gpgconf", ["--homedir", gnupg, "--kill", "all"], { stdio: "ignore" });
    rmSync(gnupg, { recursive: true, force: true });
  });

  it("decrypts with the key ring that GNUPGHOME names", async () => {
    const env = { GNUPGHOME: gnupg };
    const encrypt = ["sops", "--encrypt", "--pgp", recipientOf("pgp-rsa"), "--in-place", "secrets.yaml"];
    expect(await box.start(encrypt, { env })).toMatchObject({ status: 0 });
    const result = await box.start(["sops", "--decrypt", join(box.dir, "secrets.yaml")], { env });
    expect(result).toMatchObject({ status: 0, stdout: plain });
  });

  it("shows the user why it could not", async () => {
    await encrypted();
    const env = { GNUPGHOME: gnupg, SOPS_AGE_KEY_FILE: "" };
    const result = await box.start(["sops", "--decrypt", "secrets.yaml"], { env });
    expect(result).toMatchObject({ status: 128, stdout: "" });
    expect(result.stderr).toContain(`${R1}: FAILED`);
  });
});

describe.skipIf(!isUnix)("git", () => {
  const setUp = [
    "git init -q",
    "git config user.email a@example.com",
    "git config user.name a",
    "printf '*.yaml diff=sops\\n*.bin diff=sops-binary\\n' > .gitattributes",
  ];

  it("shows the changes of values through textconv", async () => {
    const script = [
      ...setUp,
      "git config diff.sops.textconv 'sops decrypt'",
      "sops encrypt -i secrets.yaml",
      "git add -A && git commit -qm first",
      `sops set secrets.yaml '["database"]["password"]' '"changed"'`,
      "git diff -U0",
    ];
    const result = await shell(script.join(" && "), { GIT_CONFIG_NOSYSTEM: "1" });
    expect(result).toMatchObject({ status: 0, stderr: "" });
    expect(result.stdout).toContain("-    password: hunter2\n+    password: changed\n");
    expect(result.stdout).not.toContain("ENC[");
  });

  it.each(["sops -d", "sops decrypt"])(
    "reads a blob of the history under a name without extension: %s",
    async (textconv) => {
      box.write("data.bin", "one\n");
      const script = [
        ...setUp,
        "sops encrypt -i data.bin",
        "git add -A && git commit -qm first",
        "git show HEAD:data.bin > blob",
        `${textconv} blob`,
      ];
      expect(await shell(script.join(" && "))).toMatchObject({ status: 0, stdout: "one\n" });
    },
  );
});

describe("Flux and other readers written in Go", () => {
  /** By format: what the detection looks for, in files of either name of the program. */
  const markers: readonly { file: string; text: string; marker: string }[] = [
    { file: "a.yaml", text: plain, marker: "mac: ENC[" },
    { file: "a.json", text: '{\n  "a": "b"\n}\n', marker: '"mac": "ENC[' },
    { file: "compact.json", text: '{"a":"b"}', marker: '"mac": "ENC[' },
    { file: "a.env", text: "A=b\n", marker: "sops_mac=ENC[" },
    { file: "a.ini", text: "[s]\na = b\n", marker: "[sops]" },
    { file: "a.bin", text: "bytes", marker: '"mac": "ENC[' },
  ];

  it.each(markers.flatMap((one) => [{ ...one, name: "sops" } as const, { ...one, name: "leafcrypt" } as const]))(
    "find the marker of $file written by $name",
    async ({ name, file, text, marker }) => {
      box.write(file, text);
      const { stdout } = await box.start([name, "encrypt", file]);
      expect(stdout).toContain(marker);
    },
  );

  it.each(["sops", "leafcrypt"])("find the metadata they parse in a Secret written by %s", async (name) => {
    const secret = "apiVersion: v1\nkind: Secret\nmetadata:\n    name: a\nstringData:\n    password: hunter2\n";
    box.write("secret.yaml", secret);
    const argv = [name, "encrypt", "--encrypted-regex", "^(data|stringData)$", "secret.yaml"];
    const { stdout } = await box.start(argv);
    expect(stdout).toContain("apiVersion: v1\nkind: Secret\n");
    const { parse } = await import("yaml");
    const { sops } = parse(stdout) as { sops: Record<string, unknown> };
    // A Go reader gives up on a version that is not semantic, a time that is not RFC 3339, or entries of another kind.
    expect(sops).toMatchObject({
      age: [
        { recipient: R1, enc: expect.stringMatching(/^-----BEGIN AGE ENCRYPTED FILE-----\n[^]*\n-----END/u) as string },
      ],
      lastmodified: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u) as string,
      mac: expect.stringMatching(/^ENC\[AES256_GCM,data:.*,iv:.*,tag:.*,type:str\]$/u) as string,
      encrypted_regex: "^(data|stringData)$",
      version: "3.13.2",
    });
  });
});

describe.skipIf(!isUnix)("shell scripts", () => {
  beforeEach(() => encrypted());

  it.each([
    {
      name: "a string, without line end",
      script: `v=$(sops -d --extract '["database"]["password"]' secrets.yaml); printf '<%s>' "$v"`,
      stdout: "<hunter2>",
    },
    {
      name: "options after the file",
      script: `sops decrypt secrets.yaml --extract '["database"]["port"]'`,
      stdout: "5432\n",
    },
    { name: "whether a file opens", script: "sops -d secrets.yaml >/dev/null && echo yes", stdout: "yes\n" },
    {
      name: "an edit without change",
      script: "EDITOR=true sops secrets.yaml || [ $? -eq 200 ] && echo fine",
      stdout: "fine\n",
    },
    { name: "a new data key", script: "sops -r -i secrets.yaml && sops -d secrets.yaml", stdout: plain },
    {
      name: "a file for a command",
      script: "sops exec-file --no-fifo secrets.yaml 'cat {} {}'",
      stdout: plain + plain,
    },
    {
      name: "a value",
      script: `sops --set '["database"]["port"] 1' secrets.yaml && sops -d --extract '["database"]["port"]' secrets.yaml`,
      stdout: "1\n",
    },
  ])("ask for $name", async ({ script, stdout }) => {
    expect(await shell(script)).toMatchObject({ status: 0, stdout });
  });

  it("run a command with variables", async () => {
    box.write("app.env", "TOKEN=abc\nLINES=1\\n2\n");
    await encrypted("app.env");
    const result = await shell(`sops exec-env app.env 'printf "%s %s" "$TOKEN" "$LINES"' && sops -d app.env`);
    expect(result).toMatchObject({ status: 0, stdout: "abc 1\n2TOKEN=abc\nLINES=1\\n2\n" });
  });

  it("bring several files in line with the configuration", async () => {
    box.write("b.yaml", plain);
    await encrypted("b.yaml");
    box.write(".sops.yaml", `creation_rules:\n  - age: ${R1},${R2}\n`);
    expect(await shell("sops updatekeys -y secrets.yaml b.yaml")).toMatchObject({ status: 0 });
    const result = await shell("sops -d b.yaml", { SOPS_AGE_KEY_FILE: identityFile("age2") });
    expect(result).toMatchObject({ status: 0, stdout: plain });
  });

  it("fill an environment, as direnv does", async () => {
    box.write("flat.yaml", "A: x\nB: |\n    1\n    2\n");
    await encrypted("flat.yaml");
    expect(await shell("sops -d --output-type dotenv flat.yaml")).toMatchObject({ stdout: "A=x\nB=1\\n2\\n\n" });
  });
});
