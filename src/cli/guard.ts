import { SopsError } from "../errors.ts";
import type { EnvironmentEntry } from "../operations/environment.ts";

/** Variables that make a program load or run something else before it does what it is for. */
const LOADER_VARIABLES = new RegExp(
  [
    "^(?:PATH|LD_.+|DYLD_.+|GCONV_PATH|GLIBC_TUNABLES|OPENSSL_(?:CONF|ENGINES|MODULES)", // the system's loader, libraries
    "BASH_ENV|BASH_FUNC_.+|SHELLOPTS|PROMPT_COMMAND|PS4|IFS|ZDOTDIR|LESSOPEN|LESSCLOSE", // shells, pagers
    "NODE_OPTIONS|NODE_PATH|BUN_OPTIONS|LUA_INIT(?:_.+)?|PHPRC|PHP_INI_SCAN_DIR",
    "PYTHON(?:PATH|HOME|STARTUP|USERBASE|WARNINGS|BREAKPOINT)|PERL5(?:OPT|LIB|DB)|RUBYOPT|RUBYLIB|GEM_PATH|BUNDLE_GEMFILE",
    "JAVA_TOOL_OPTIONS|JDK_JAVA_OPTIONS|_JAVA_OPTIONS|CLASSPATH|DOTNET_STARTUP_HOOKS|CORE?(?:CLR)?_PROFILER(?:_.+)?",
    "GIT_(?:SSH|SSH_COMMAND|EXTERNAL_DIFF|EXEC_PATH|PROXY_COMMAND|ASKPASS|PAGER|EDITOR|CONFIG.*)|SSH_ASKPASS)$",
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
