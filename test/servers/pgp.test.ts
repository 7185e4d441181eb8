import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MasterKey } from "../../src/keys/backend.ts";
import { pgp } from "../../src/keys/pgp.ts";
import { fixtures, sandbox } from "../support/sandbox.ts";
import { createGnupgHome, type GnupgHome } from "./support/gnupg.ts";
import { hostWith } from "./support/host.ts";
import { findProgram, missingReason } from "./support/programs.ts";
import { SOPS } from "./support/scenarios.ts";

const DATA_KEY = Buffer.from("0123456789abcdef0123456789abcdef");
const missing = missingReason("gpg", ["gpg"]);

function keyOf(fingerprint: string): MasterKey {
  const [key] = pgp.parse(fingerprint, {});
  if (key === undefined) throw new Error("no key");
  return key;
}

describe.skipIf(missing !== null)(missing === null ? "OpenPGP with gpg" : `OpenPGP (skipped: ${missing})`, () => {
  const folder = mkdtempSync(join(tmpdir(), "lc-pgp-"));
  let home: GnupgHome;
  const keys: Record<string, string> = {};

  beforeAll(() => {
    home = createGnupgHome(folder);
    keys["rsa"] = home.createKey("rsa", "rsa");
    keys["curve25519"] = home.createKey("curve", "curve25519");
    keys["locked"] = home.createKey("locked", "curve25519", "open sesame");
  });
  afterAll(() => {
    home.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const host = () => hostWith({ GNUPGHOME: home.path, HOME: folder });

  describe.each(["rsa", "curve25519"])("%s", (kind) => {
    const fingerprint = (): string => keys[kind] ?? "";

    it("unwraps what it wraps", async () => {
      const enc = await keyOf(fingerprint()).wrap(DATA_KEY, host());
      expect(enc).toMatch(/^-----BEGIN PGP MESSAGE-----\n[^]*-----END PGP MESSAGE-----$/);
      expect(Buffer.from(await keyOf(fingerprint()).unwrap(enc, host()))).toEqual(DATA_KEY);
    });

    it("opens with an exported key when there is no gpg", async () => {
      const enc = await keyOf(fingerprint()).wrap(DATA_KEY, host());
      const exported = join(folder, `exported-${kind}`);
      home.exportSecretRing(fingerprint(), exported);
      const without = hostWith({ GNUPGHOME: exported, PATH: "/nonexistent" });
      expect(Buffer.from(await keyOf(fingerprint()).unwrap(enc, without))).toEqual(DATA_KEY);
    });

    it("wraps with an exported key when there is no gpg, for gpg to open", async () => {
      const exported = join(folder, `public-${kind}`);
      mkdirSync(exported, { recursive: true });
      writeFileSync(join(exported, "pubring.gpg"), home.gpg(["--export", fingerprint()]));
      const enc = await keyOf(fingerprint()).wrap(DATA_KEY, hostWith({ GNUPGHOME: exported, PATH: "/nonexistent" }));
      expect(enc).toMatch(/^-----BEGIN PGP MESSAGE-----\n\n[^]*\n=[\w+/]{4}\n-----END PGP MESSAGE-----$/);
      expect(home.gpg(["-d"], enc)).toEqual(DATA_KEY);
    });
  });

  it("asks for the passphrase of an exported key", async () => {
    const fingerprint = keys["locked"] ?? "";
    const enc = await keyOf(fingerprint).wrap(DATA_KEY, host());
    const exported = join(folder, "exported-locked");
    home.exportSecretRing(fingerprint, exported, "open sesame");
    const without = hostWith({ GNUPGHOME: exported, PATH: "/nonexistent" });
    const answering = (answer: string) => ({ ...without, askPassphrase: () => Promise.resolve(answer) });
    expect(Buffer.from(await keyOf(fingerprint).unwrap(enc, answering("open sesame")))).toEqual(DATA_KEY);
    await expect(keyOf(fingerprint).unwrap(enc, answering("wrong"))).rejects.toThrow(
      /key ring error: wrong passphrase/,
    );
  });

  it("drives the program that SOPS_GPG_EXEC names", async () => {
    const fingerprint = keys["locked"] ?? "";
    const script = join(folder, "gpg-with-passphrase");
    writeFileSync(script, `#!/bin/sh\nexec gpg --batch --pinentry-mode loopback --passphrase 'open sesame' "$@"\n`, {
      mode: 0o755,
    });
    const wrapped = hostWith({ GNUPGHOME: home.path, HOME: folder, SOPS_GPG_EXEC: script });
    const enc = await keyOf(fingerprint).wrap(DATA_KEY, wrapped);
    expect(Buffer.from(await keyOf(fingerprint).unwrap(enc, wrapped))).toEqual(DATA_KEY);
  });

  it("encrypts to the very subkey that a ! asks for", async () => {
    const fingerprint = keys["rsa"] ?? "";
    home.gpg(["--passphrase", "", "--quick-add-key", fingerprint, "rsa2048", "encr", "0"]);
    const subkeys = [
      ...home
        .gpg(["--with-colons", "-K", fingerprint])
        .toString()
        .matchAll(/^ssb:(?:[^:]*:){3}([0-9A-F]{16}):/gm),
    ].map((match) => match[1] ?? "");
    expect(subkeys).toHaveLength(2);
    for (const subkey of subkeys) {
      const enc = await keyOf(`${subkey}!`).wrap(DATA_KEY, host());
      expect(home.gpg(["--list-packets"], enc).toString()).toContain(`keyid ${subkey}`);
    }
  });

  it("says that the secret key is not here", async () => {
    const enc = await keyOf(keys["rsa"] ?? "").wrap(DATA_KEY, host());
    const empty = createGnupgHome(mkdtempSync(join(folder, "e")));
    await expect(keyOf(keys["rsa"] ?? "").unwrap(enc, hostWith({ GNUPGHOME: empty.path }))).rejects.toThrow(
      /GnuPG binary error: failed to decrypt sops data key with pgp: no secret key [0-9A-F]{16} \(exit status 2\)/,
    );
    empty.stop();
  });

  it.each([
    { name: "was never encrypted", make: (data: string) => home.gpg(["-a", "--store"], data) },
    {
      name: "is encrypted to a passphrase only",
      make: (data: string) => home.gpg(["-a", "--passphrase", "p", "-c"], data),
    },
    { name: "is only signed", make: (data: string) => home.gpg(["-a", "-u", keys["rsa"] ?? "", "-s"], data) },
    {
      name: "unpacks to megabytes",
      make: () => home.gpg(["-a", "-e", "-r", keys["rsa"] ?? "", "--trust-model", "always"], Buffer.alloc(5_000_000)),
    },
    { name: "is empty", make: () => home.gpg(["-a", "-e", "-r", keys["rsa"] ?? "", "--trust-model", "always"], "") },
  ])("refuses a message that $name", async ({ make }) => {
    const enc = make(DATA_KEY.toString()).toString();
    const script = join(folder, "gpg-that-knows-p");
    writeFileSync(script, `#!/bin/sh\nexec gpg --batch --pinentry-mode loopback --passphrase p "$@"\n`, {
      mode: 0o755,
    });
    const knowing = hostWith({ GNUPGHOME: home.path, HOME: folder, SOPS_GPG_EXEC: script });
    await expect(keyOf(keys["rsa"] ?? "").unwrap(enc, knowing)).rejects.toThrow(
      /could not decrypt data key with PGP key/,
    );
  });

  it("refuses a changed message", async () => {
    const enc = await keyOf(keys["rsa"] ?? "").wrap(DATA_KEY, host());
    const lines = enc.split("\n");
    const last = lines.findLastIndex((line) => /^[\w+/]{20,}/.test(line));
    lines[last] = (lines[last] ?? "").replace(/^./, (letter) => (letter === "A" ? "B" : "A"));
    const changed = lines.filter((line) => !line.startsWith("=")).join("\n");
    await expect(keyOf(keys["rsa"] ?? "").unwrap(changed, host())).rejects.toThrow(/could not decrypt data key/);
  });

  it.each(["someone@example.test", "--help", "ABCD1234", "", "rsa"])("passes %j to no program", async (name) => {
    const key = pgp.fromRecord({ fp: name === "" ? " " : name });
    await expect(key.wrap(DATA_KEY, host())).rejects.toThrow(/is not a PGP fingerprint of 16, 40 or 64 hex digits/);
  });

  const noSq = findProgram("sq") === null;
  it.skipIf(noSq)(noSq ? "works with sq both ways (skipped: not installed)" : "works with sq both ways", async () => {
    for (const kind of ["rsa", "curve25519"]) {
      const fingerprint = keys[kind] ?? "";
      const [cert, secret, file] = ["cert", "secret", "data"].map((name) => join(folder, `sq-${kind}-${name}`)) as [
        string,
        string,
        string,
      ];
      writeFileSync(cert, home.gpg(["-a", "--export", fingerprint]));
      writeFileSync(secret, home.gpg(["-a", "--passphrase", "", "--export-secret-keys", fingerprint]));
      writeFileSync(file, DATA_KEY);
      const theirs = execFileSync("sq", ["encrypt", "--recipient-cert", cert, file]).toString();
      expect(Buffer.from(await keyOf(fingerprint).unwrap(theirs, host()))).toEqual(DATA_KEY);
      writeFileSync(file, await keyOf(fingerprint).wrap(DATA_KEY, host()));
      expect(
        execFileSync("sq", ["decrypt", "--recipient-key", secret, file], { stdio: ["ignore", "pipe", "ignore"] }),
      ).toEqual(DATA_KEY);
    }
  });

  const noSops = SOPS === null;
  it.skipIf(noSops)(
    noSops ? "works with sops both ways (skipped: not on PATH)" : "works with sops both ways",
    async () => {
      const box = sandbox({ "a.yaml": "a: secret\n" }, { GNUPGHOME: home.path });
      for (const kind of ["rsa", "curve25519"]) {
        const args = ["encrypt", "--pgp", keys[kind] ?? "", "a.yaml"];
        for (const [writer, reader] of [
          ["leafcrypt", SOPS ?? ""],
          [SOPS ?? "", "leafcrypt"],
        ] as const) {
          const written = await box.start([writer, ...args]);
          expect(written).toMatchObject({ status: 0 });
          box.write("e.yaml", written.stdout);
          expect(await box.start([reader, "decrypt", "e.yaml"])).toMatchObject({ status: 0, stdout: "a: secret\n" });
        }
      }
      box.remove();
    },
  );

  it("opens the reference's files with the keys of the fixtures", async () => {
    const other = createGnupgHome(mkdtempSync(join(folder, "f")));
    for (const name of ["pgp-rsa", "pgp-ecc"]) other.importKey(`${fixtures}/keys/${name}.sec.asc`);
    const box = sandbox({}, { GNUPGHOME: other.path });
    for (const name of ["pg.yaml", "pge.yaml"]) {
      const result = await box.run("decrypt", `${fixtures}/transcripts/files/${name}`);
      expect(result).toMatchObject({ status: 0 });
      expect(result.stdout).toContain("b: text");
    }
    other.stop();
    box.remove();
  });
});
