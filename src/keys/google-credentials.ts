import { loadOptional, systemCode, type Failure } from "./call.ts";

/**
 * Loads a package of Google's, which then tells nothing of what it does: where this variable asks for it, they print
 * requests with their tokens. Node happens to drop that, as it reads its own variable only when it starts.
 */
export function loadGoogle<T>(name: string, load: () => Promise<T>): Promise<T> {
  delete process.env["GOOGLE_SDK_NODE_LOGGING"];
  return loadOptional(name, load);
}

const FILE_CODES: ReadonlySet<string> = new Set(["ENOENT", "ENOTDIR", "EISDIR", "EACCES", "EPERM", "ELOOP"]);

/**
 * Reads the failure to load a file with Google credentials: Google's library throws what Node does, which looks like the
 * failure of a connection. Null for any other failure.
 */
export function credentialsFileFailure(error: unknown): Failure | null {
  const code = systemCode(error);
  if (code === null || !FILE_CODES.has(code)) return null;
  return {
    reason: `a file with Google credentials cannot be read (${code})`,
    passing: false,
    advice: "check GOOGLE_APPLICATION_CREDENTIALS",
  };
}
