import path from "node:path";

const NAME = ".sops.yaml";
const MISTAKEN_NAME = ".sops.yml";
const MAX_LEVELS = 100;

/** The configuration file to use. */
export interface ConfigLocation {
  /** Absolute path. */
  readonly path: string;
  /** How messages call it: as given, or relative to the working directory. */
  readonly name: string;
}

/** What the search needs to know of the file system. */
export interface FileLookup {
  /** What a path leads to, links followed, or null if nothing is there or it cannot be looked at. */
  statFile(path: string): FileOwner | null;
  /** Our own numeric user; undefined where the system has none, which switches the ownership rule off. */
  readonly userId: number | undefined;
  /** Tells the user something that does not stop the search. */
  warn(message: string): void;
}

/** Who owns a file or directory; undefined where the system has no numeric users. */
export interface FileOwner {
  readonly ownerId: number | undefined;
}

interface SearchResult {
  readonly found?: string;
  /** The first file with the wrong name that was passed. */
  readonly mistaken?: string;
  /** A configuration of somebody else, at which the search ended. */
  readonly foreign?: string;
}

/**
 * Searches `.sops.yaml` from the working directory upwards, at most 100 levels, then from the directory of the file
 * that is worked on (cli-behaviour.md 4.1, I-35). Only existence is looked at.
 *
 * A configuration decides whom secrets are encrypted for, so one in a parent directory counts only if it belongs to
 * us, to root, or to the owner of the directory where the search starts; at any other the search ends with a warning.
 *
 * @param workingDirectory - absolute
 * @param fileDirectory - absolute; undefined if there is no file, as with standard input
 */
export function findConfig(
  workingDirectory: string,
  fileDirectory: string | undefined,
  lookup: FileLookup,
): ConfigLocation | undefined {
  const results = [searchUpwards(workingDirectory, lookup)];
  if (results[0]?.found === undefined && fileDirectory !== undefined && fileDirectory !== workingDirectory)
    results.push(searchUpwards(fileDirectory, lookup));
  const nameOf = (file: string): string => path.relative(workingDirectory, file);
  const found = results.find((result) => result.found !== undefined)?.found;
  const mistaken = results.find((result) => result.mistaken !== undefined)?.mistaken;
  for (const foreign of new Set(results.flatMap((result) => result.foreign ?? []))) {
    lookup.warn(`ignoring "${nameOf(foreign)}", which belongs to another user; name it with --config to use it`);
  }
  if (mistaken !== undefined) {
    const instead = found === undefined ? "" : `; using "${nameOf(found)}" instead`;
    lookup.warn(
      `ignoring "${nameOf(mistaken)}" when searching for config file; the config file must be called "${NAME}"${instead}`,
    );
  }
  return found === undefined ? undefined : { path: found, name: nameOf(found) };
}

function searchUpwards(start: string, lookup: FileLookup): SearchResult {
  let result: SearchResult = {};
  let directory = start;
  for (let level = 0; level < MAX_LEVELS; level += 1) {
    const candidate = path.join(directory, NAME);
    const status = lookup.statFile(candidate);
    if (status !== null)
      return level === 0 || isTrusted(status, start, lookup)
        ? { ...result, found: candidate }
        : { ...result, foreign: candidate };
    const mistaken = path.join(directory, MISTAKEN_NAME);
    if (result.mistaken === undefined && lookup.statFile(mistaken) !== null) result = { mistaken };
    const parent = path.dirname(directory);
    if (parent === directory) break;
    directory = parent;
  }
  return result;
}

function isTrusted({ ownerId }: FileOwner, start: string, lookup: FileLookup): boolean {
  if (ownerId === undefined || lookup.userId === undefined) return true;
  // Containers often run as root on a mounted checkout: there the directory's owner is who wrote the configuration.
  return [lookup.userId, 0, lookup.statFile(start)?.ownerId].includes(ownerId);
}
