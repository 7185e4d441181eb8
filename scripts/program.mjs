import { rolldown } from "rolldown";
import { lazyChunks } from "./lazy-chunks.mjs";

/**
 * Bundles the program as CommonJS: a core, and chunks that are compiled when they are first needed.
 *
 * @param input - the entry, a file below src/
 * @param external - patterns of the packages that are left to be loaded from `node_modules`
 * @param replaced - packages, each with the file that stands in its place
 */
export async function bundleProgram({ input, external, replaced = {}, folder, minify }) {
  const { plugin, codeSplitting } = lazyChunks();
  const bundle = await rolldown({
    input: { main: input },
    plugins: [plugin],
    preserveEntrySignatures: "allow-extension",
    platform: "node",
    external: [/^node:/, ...external],
    resolve: { alias: replaced },
    checks: CHECKS,
  });
  await bundle.write({
    ...{ dir: folder, format: "cjs", entryFileNames: "[name].cjs", chunkFileNames: "[name]-[hash].cjs" },
    ...{ minify, codeSplitting },
  });
  await bundle.close();
}

/** Some modules are loaded early by one part and lazily by another; that is no mistake. */
export const CHECKS = { ineffectiveDynamicImport: false };
