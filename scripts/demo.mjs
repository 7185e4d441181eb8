// The whole story in one go, on files a reader recognises: npm run demo
//
// Works in a temporary folder with an age key made for the occasion, prints every command as one would type it, and
// ends with an error if anything is other than it says.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { generateX25519Identity, identityToRecipient } from "age-encryption";

const program = fileURLToPath(new URL("../bin/leafcrypt.cjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "leafcrypt-demo-"));
const home = join(folder, ".home");

const SECRET = `apiVersion: v1
kind: Secret
metadata:
  name: shop-database   # read by the deployment "shop"
  labels: {team: payments}
type: Opaque
stringData:
  # rotated every quarter
  username: shop
  password: "correct horse battery staple"
  port: "5432"
`;

try {
  await story();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function story() {
  mkdirSync(join(home, "bin"), { recursive: true });
  symlinkSync(program, join(home, "bin", "leafcrypt"));
  const identity = await generateX25519Identity();
  writeFileSync(join(home, "key.txt"), `${identity}\n`, { mode: 0o600 });
  const recipient = await identityToRecipient(identity);

  say("A rule says which values are secret, and who can read them. (The age key is made for this demo.)");
  write(
    ".sops.yaml",
    `creation_rules:\n  - path_regex: secret.*\\.yaml$\n    encrypted_regex: ^(data|stringData)$\n    age: ${recipient}\n`,
  );
  show("cat .sops.yaml");

  say("Here is a Kubernetes Secret, as somebody wrote it.");
  write("secret.yaml", SECRET);
  const digest = sha256("secret.yaml");
  show("cat secret.yaml");

  say("Encrypt it in place. Values are hidden; everything else stays as it was written.");
  show("leafcrypt encrypt --in-place secret.yaml");
  show("cat secret.yaml");
  write("committed.yaml", read("secret.yaml"));

  say("Change one value. The difference in version control: its line, the date and the checksum.");
  show(`leafcrypt set secret.yaml '["stringData"]["username"]' '"till"'`);
  show("diff committed.yaml secret.yaml", [1]);

  say("Change it back, in an editor: any will do, here it is sed.");
  show("EDITOR='sed -i.orig s/till/shop/' leafcrypt edit secret.yaml");

  say("Rotate the data key: every value is encrypted anew, nothing else changes.");
  show("leafcrypt rotate --in-place secret.yaml");

  say("Decrypt it, as a pipeline would before kubectl apply.");
  show("leafcrypt decrypt --in-place secret.yaml");
  show("cat secret.yaml");
  if (sha256("secret.yaml") !== digest) throw new Error("the decrypted file is not the one we started with");
  say(`Byte for byte the file we started with (SHA-256 ${digest.slice(0, 16)}…).`);
}

function show(command, accepted = [0]) {
  process.stdout.write(`\n$ ${command}\n`);
  const PATH = [join(home, "bin"), process.env.PATH].join(delimiter);
  const env = { PATH, HOME: home, SOPS_AGE_KEY_FILE: join(home, "key.txt") };
  try {
    print(
      execFileSync("/bin/sh", ["-c", command], {
        cwd: folder,
        env,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      }),
    );
  } catch (error) {
    if (!accepted.includes(error.status)) throw error;
    print(error.stdout);
  }
}

function print(text) {
  process.stdout.write(text.replace(/^(.{110}).+$/gm, "$1…"));
}

function say(text) {
  process.stdout.write(`\n# ${text}\n`);
}

function write(name, text) {
  writeFileSync(join(folder, name), text);
}

function read(name) {
  return readFileSync(join(folder, name), "utf8");
}

function sha256(name) {
  return createHash("sha256")
    .update(readFileSync(join(folder, name)))
    .digest("hex");
}
