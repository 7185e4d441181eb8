import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A GnuPG home of a test's own. */
export interface GnupgHome {
  readonly path: string;
  /** Makes a key that can encrypt, with or without a passphrase; gives its fingerprint. */
  createKey(name: string, algorithm: "rsa" | "curve25519", passphrase?: string): string;
  importKey(file: string): void;
  gpg(args: readonly string[], input?: string | Uint8Array): Buffer;
  /** Writes `secring.gpg`, as an exported key, into a folder without a keybox. */
  exportSecretRing(fingerprint: string, folder: string, passphrase?: string): void;
  stop(): void;
}

const ALGORITHMS = {
  rsa: { primary: "rsa2048", subkey: "rsa2048" },
  curve25519: { primary: "ed25519", subkey: "cv25519" },
} as const;

/** Makes an empty home inside a folder. The path must be short: the agent's socket is in it. */
export function createGnupgHome(parent: string): GnupgHome {
  const path = join(parent, "gnupg");
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o700);
  writeFileSync(join(path, "gpg-agent.conf"), "allow-loopback-pinentry\n");
  const env = { PATH: process.env["PATH"], HOME: parent, GNUPGHOME: path };
  const gpg = (args: readonly string[], input: string | Uint8Array = ""): Buffer =>
    execFileSync("gpg", ["--batch", "--pinentry-mode", "loopback", ...args], {
      env,
      input,
      stdio: ["pipe", "pipe", "pipe"],
    });
  return {
    path,
    gpg,
    createKey(name, algorithm, passphrase = "") {
      const { primary, subkey } = ALGORITHMS[algorithm];
      const secret = ["--passphrase", passphrase];
      gpg([...secret, "--quick-generate-key", `${name} <${name}@example.test>`, primary, "sign", "0"]);
      const listing = gpg(["--with-colons", "--fingerprint", `${name}@example.test`]).toString();
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? "";
      gpg([...secret, "--quick-add-key", fingerprint, subkey, "encr", "0"]);
      return fingerprint;
    },
    importKey(file) {
      gpg(["--import", file]);
    },
    exportSecretRing(fingerprint, folder, passphrase = "") {
      mkdirSync(folder, { recursive: true });
      writeFileSync(
        join(folder, "secring.gpg"),
        gpg(["--passphrase", passphrase, "--export-secret-keys", fingerprint]),
      );
    },
    stop() {
      try {
        execFileSync("gpgconf", ["--kill", "gpg-agent"], { env, stdio: "ignore" });
      } catch {
        // No agent was started.
      }
    },
  };
}
