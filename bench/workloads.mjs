// What is measured: plain data and the arguments for it.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A plain YAML text of ten values a service; the same for the same number. */
export function plainText(leaves) {
  let state = 1;
  const next = () => (state = (state * 48271) % 2147483647).toString(16);
  let text = "";
  for (let leaf = 0; leaf < leaves; leaf += 1) {
    if (leaf % 10 === 0) text += `service_${String(leaf / 10)}:\n`;
    text += `    key_${String(leaf % 10)}: value-${String(leaf)}-${next()}${next()}\n`;
  }
  return text;
}

/** Numbers of values of the decryptions; the plot is made of these. */
export const DECRYPTIONS = [20, 1_000, 10_000, 100_000];

/** From each to the next time is to grow at most as much as the values do, and a tenth. */
export const GROWTH = [
  [10_000, 20_000],
  [50_000, 100_000],
  [100_000, 200_000],
];

export const MANY_FILES = 1_000;

/** Writes the input files: `plain-N.yaml`, and `N.yaml` encrypted in the reference's layout, which all programs read. */
export function writeInputs(folder, recipient, sizes, encrypt) {
  for (const size of sizes) {
    writeFileSync(join(folder, `plain-${String(size)}.yaml`), plainText(size));
    encrypt(["encrypt", "--age", recipient, "--output", `${String(size)}.yaml`, `plain-${String(size)}.yaml`]);
  }
  mkdirSync(join(folder, "many"), { recursive: true });
  for (let index = 0; index < MANY_FILES; index += 1)
    copyFileSync(join(folder, "20.yaml"), join(folder, manyFile(index)));
}

/** The name of one of the many files. */
export function manyFile(index) {
  return `many/${String(index)}.yaml`;
}

/** The workloads that are timed run by run: `args` by the number of the round, so that `set` sets something new. */
export function workloads(recipient) {
  return [
    ...DECRYPTIONS.map((size) => ({
      name: `decrypt ${count(size)}`,
      size,
      rounds: size < 10_000 ? 25 : size < 100_000 ? 9 : 5,
      args: () => ["decrypt", `${String(size)}.yaml`],
    })),
    {
      name: `encrypt ${count(100_000)}`,
      rounds: 5,
      args: () => ["encrypt", "--age", recipient, "plain-100000.yaml"],
    },
    {
      name: `set one value among ${count(10_000)}`,
      rounds: 9,
      copies: "10000.yaml",
      args: (round, copy) => ["set", copy, '["service_500"]["key_3"]', JSON.stringify(`new ${String(round)}`)],
    },
    {
      name: `rotate ${count(10_000)}`,
      rounds: 5,
      copies: "10000.yaml",
      args: (_round, copy) => ["rotate", "-i", copy],
    },
  ];
}

function count(size) {
  return `${size.toLocaleString("en")} values`;
}
