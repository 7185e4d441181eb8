import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";
import { accountName } from "./account.ts";
import { connectionFrom } from "./connection.ts";
import { parseConnectionString } from "./connection-string.ts";
import { AuditDatabase } from "./postgres.ts";
import { readAuditSettings } from "./settings.ts";

/** What is written down: that a tree is encrypted or decrypted, or that a data key is about to be exchanged. */
export type AuditAction = "encrypt" | "decrypt" | "rotate";

/** Writes down who does what to which file, before it is done. */
export interface AuditLog {
  /**
   * Writes one event to every database.
   *
   * @param file - absolute path
   * @throws {SopsError} ERR_AUDIT; whatever was to be done must not be
   */
  record(action: AuditAction, file: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects to the databases that a file asks events to be written to.
 *
 * @param path - of the file
 * @returns undefined if it asks for none
 * @throws {ConfigError} for a file that makes no sense; {SopsError} ERR_AUDIT, ERR_READ, ERR_OPTIONAL_PACKAGE
 */
export async function openAuditLog(path: string, host: Host): Promise<AuditLog | undefined> {
  const strings = await readAuditSettings(path);
  if (strings.length === 0) return undefined;
  const account = accountName(host.env);
  const databases = await Promise.all(
    strings.map(async (text, index) => {
      const name = `audit database ${String(index + 1)} of ${path}`;
      const connection = await naming(name, () => connectionFrom(parseConnectionString(text), host.env, account));
      return { name, database: new AuditDatabase(connection, host) };
    }),
  );
  const onEach = async (work: (database: AuditDatabase) => Promise<void>): Promise<void> => {
    await Promise.all(databases.map(({ name, database }) => naming(name, () => work(database))));
  };
  await onEach((database) => database.connect());
  return {
    record: (action, file) => onEach((database) => database.insert(action, account, file)),
    close: () => onEach((database) => database.close()),
  };
}

/** Databases are told apart by their place in the file: everything else about them stands in the connection string. */
async function naming<T>(name: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SopsError) || error.code !== "ERR_AUDIT") throw error;
    throw new SopsError("ERR_AUDIT", `${name} ${error.message}`);
  }
}
