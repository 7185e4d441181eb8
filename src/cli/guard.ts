import { SopsError } from "../errors.ts";
import type { EnvironmentEntry } from "../operations/environment.ts";

/** Variables that make a program load or run something else before it does what it is for. */
const LOADER_VARIABLES = new RegExp(
  [
    "^(?:LD_.+|DYLD_.+|GCONV_PATH", // the system's loader
    "BASH_ENV|BASH_FUNC_.+|SHELLOPTS|PROMPT_COMMAND|PS4", // shells
    "NODE_OPTIONS|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|PERL5OPT|PERL5LIB|PERL5DB|RUBYOPT|RUBYLIB",
    "JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS",
    "GIT_SSH_COMMAND|GIT_EXTERNAL_DIFF)$",
  ].join("|"),
);

/**
 * Refuses entries with which whoever can write to the repository would run a program of his own: variables that steer
 * loaders, and every value that the file's MAC does not cover (safety.md 1.2). Those named in `allowed` pass.
 *
 * @param allowed - comma list of names, as `--allow` gives it
 * @throws {SopsError} ERR_POLICY
 */
export function refuseUnsafe(entries: readonly EnvironmentEntry[], allowed: string): void {
  const names = new Set(allowed.split(",").map((name) => name.trim()));
  const refused = entries.filter(({ name }) => !names.has(name));
  const loaders = refused.filter(({ name }) => LOADER_VARIABLES.test(name));
  if (loaders.length > 0) {
    throw refusal(loaders, "decides which code programs load");
  }
  const loose = refused.filter(({ isAuthenticated }) => !isAuthenticated);
  if (loose.length > 0)
    throw refusal(loose, "is in clear and not covered by the file's MAC, so anybody may have set it");
}

function refusal(entries: readonly EnvironmentEntry[], reason: string): SopsError {
  const names = entries.map(({ name }) => name);
  return new SopsError("ERR_POLICY", `${names[0] ?? ""} ${reason}: the command was not started`, {
    hint: `if it shall be passed on: --allow ${names.join(",")}`,
  });
}
