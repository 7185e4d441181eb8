import { readYaml } from "../config/yaml.ts";
import { shapeError, ShapeReader, type Member, type Value } from "../config/value.ts";
import { SopsError } from "../errors.ts";
import { isErrno } from "../storage/file-system.ts";
import { readIfPresent } from "../storage/read.ts";

/**
 * Reads the connection strings of the databases that events are written to.
 *
 * A file that is not there asks for nothing, and neither does one that this account may not read: the reference takes
 * both for none (cli-behaviour.md 9). Whatever else keeps the file from being read, such as too many open files, is an
 * error, as a user can bring it about.
 *
 * @returns none if there is no such file, or if it names no database
 * @throws {ConfigError} with line and column for what is no YAML or has another shape; {SopsError} ERR_READ
 */
export async function readAuditSettings(path: string): Promise<readonly string[]> {
  const bytes = readIfAllowed(path);
  if (bytes === null) return [];
  const reader = new ShapeReader(path);
  const root = only(reader, await readYaml(bytes, path), "backends");
  const databases = only(reader, root, "postgres");
  return reader
    .list(databases, "databases")
    .map((database) => reader.text(only(reader, database, "connection_string")));
}

function readIfAllowed(path: string): Uint8Array | null {
  try {
    return readIfPresent(path);
  } catch (error) {
    if (error instanceof SopsError && isErrno(error.cause, "EACCES", "EPERM", "EISDIR")) return null;
    throw error;
  }
}

/** The one member a mapping may have: a backend, or an option, that is not known would not be written to. */
function only(reader: ShapeReader, value: Value | undefined, name: string): Value | undefined {
  const members = reader.members(value, "a mapping");
  const other = [...members.values()].find((member: Member) => member.key !== name);
  if (other !== undefined) throw shapeError(reader.file, other.position, `unknown member; only ${name} is known here`);
  return members.get(name)?.value;
}
