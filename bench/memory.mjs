// The peak memory of encrypting and decrypting binary files, as a multiple of their size: `node bench/memory.mjs [MiB…]`
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { placeTestKey } from "../scripts/test-key.mjs";
import { peakMemoryOf } from "./measure.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const sizes = process.argv.slice(2).map(Number);
const folder = mkdtempSync(join(tmpdir(), "leafcrypt-memory-"));
const key = placeTestKey(folder);
const env = { ...process.env, SOPS_AGE_KEY_FILE: key.file };
const at = (name) => join(folder, name);

async function report(size, command, args) {
  const peak = await peakMemoryOf({
    program: process.execPath,
    args: [join(root, "bin/leafcrypt.cjs"), command, ...args],
    env,
    cwd: folder,
  });
  console.log(`${String(size)} MiB ${command}: ${peak.toFixed(0)} MiB, ${(peak / size).toFixed(1)} times its size`);
}

try {
  for (const size of sizes.length > 0 ? sizes : [16, 64, 256]) {
    const plain = randomBytes(size * 2 ** 20);
    writeFileSync(at("plain.bin"), plain);
    await report(size, "encrypt", ["--age", key.recipient, "--output", at("encrypted.bin"), at("plain.bin")]);
    await report(size, "decrypt", ["--output", at("decrypted.bin"), at("encrypted.bin")]);
    if (!readFileSync(at("decrypted.bin")).equals(plain)) throw new Error("other bytes came back");
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
