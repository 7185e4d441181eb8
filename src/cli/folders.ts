import { readdirSync } from "node:fs";
import { join } from "node:path";

/** All regular files below a folder, by name. Links are not followed, and what Git keeps for itself is left out. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return entry.name === ".git" ? [] : filesBelow(join(folder, entry.name));
      return entry.isFile() ? [join(folder, entry.name)] : [];
    });
}
