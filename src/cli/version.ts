import { FORMAT_VERSION } from "../operations/context.ts";
import type { Dialect } from "./dialect.ts";

/** Version of this program. */
export const PROGRAM_VERSION = "0.1.0";

/** The version that a face shows: as `sops` the one it stands in for, which callers parse and compare. */
export function dialectVersion(dialect: Dialect): string {
  return dialect.name === "sops" ? FORMAT_VERSION : PROGRAM_VERSION;
}

/** What `--version` prints. */
export function versionText(dialect: Dialect, checksForUpdates: boolean): string {
  const line = `${dialect.program} ${dialectVersion(dialect)}\n`;
  // Nothing here asks the network which version is the latest: package managers know, and nobody is told who asks.
  return checksForUpdates
    ? `${line}[warning] failed to retrieve latest version from upstream: this program never asks the network for it\n`
    : line;
}
