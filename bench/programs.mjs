// What is compared.
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const repository = resolve(import.meta.dirname, "..");

/** The programs, by name: those that are there. `prefix` goes before the arguments. */
export function programs(folder) {
  const empty = join(folder, "empty.cjs");
  writeFileSync(empty, "");
  const script = join(repository, "bin/leafcrypt.cjs");
  const standalone = join(repository, `dist/standalone/leafcrypt-${process.platform}-${process.arch}`);
  const sops = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((path) => join(path, "sops"))
    .find((path) => existsSync(path));
  return {
    bare: { label: "node empty.cjs", program: process.execPath, prefix: [empty] },
    node: { label: "leafcrypt on Node", program: process.execPath, prefix: [script] },
    nodeReference: {
      label: "with `--layout reference`",
      program: process.execPath,
      prefix: [script],
      isReference: true,
    },
    ...(existsSync(standalone)
      ? { standalone: { label: "leafcrypt standalone", program: standalone, prefix: [] } }
      : {}),
    ...(sops === undefined ? {} : { sops: { label: "sops", program: sops, prefix: [] } }),
  };
}
