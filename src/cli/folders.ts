import { readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * All regular files below a folder, by name; what Git keeps for itself is left out. Links to folders are not entered: with
 * links they are listed like those to files, so that reading one fails instead of passing it over.
 */
export function filesBelow(folder: string, links: "with links" | "without links" = "without links"): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return entry.name === ".git" ? [] : filesBelow(join(folder, entry.name), links);
      return entry.isFile() || (links === "with links" && entry.isSymbolicLink()) ? [join(folder, entry.name)] : [];
    });
}
