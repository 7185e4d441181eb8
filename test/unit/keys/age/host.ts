import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import { SopsError } from "../../../../src/errors.ts";
import type { Host, ProcessResult } from "../../../../src/host.ts";

/** A host made of what a test gives it: no environment, files or programs but those. Notes what is asked of it. */
export interface TestHost extends Host {
  readonly warnings: string[];
  readonly prompts: string[];
  readonly reads: string[];
  readonly commands: string[][];
}

export interface TestHostOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, Uint8Array | string>>;
  readonly platform?: NodeJS.Platform;
  /** Answers to prompts; without them there is no terminal. */
  readonly passphrases?: readonly string[];
  readonly run?: (command: string, args: readonly string[], env: Host["env"]) => Partial<ProcessResult>;
}

export function testHost(options: TestHostOptions = {}): TestHost {
  const { env = {}, files = {}, platform = "linux", run } = options;
  const passphrases = [...(options.passphrases ?? [])];
  const [warnings, prompts, reads, commands]: [string[], string[], string[], string[][]] = [[], [], [], []];
  return {
    env,
    platform,
    warnings,
    prompts,
    reads,
    commands,
    now: () => new Date(0),
    randomBytes: (size) => new Uint8Array(randomBytes(size)),
    readFile(path) {
      reads.push(path);
      const content = files[path];
      return content === undefined ? null : Buffer.from(content);
    },
    run(command, args, runOptions) {
      commands.push([command, ...args]);
      if (run === undefined) return Promise.reject(new SopsError("ERR_PROCESS", `cannot start ${command}`));
      const result = run(command, args, runOptions?.env ?? env);
      return Promise.resolve({ status: 0, stdout: new Uint8Array(0), stderr: "", ...result });
    },
    askPassphrase(prompt) {
      prompts.push(prompt);
      const answer = passphrases.shift();
      return answer === undefined
        ? Promise.reject(
            new SopsError("ERR_PROCESS", "standard input is not a terminal, and /dev/tty is not available"),
          )
        : Promise.resolve(answer);
    },
    warn: (message) => void warnings.push(message),
  };
}

/** A file of the fixtures' `keys` folder. */
export function keyFile(name: string): string {
  return readFileSync(new URL(`../../../../fixtures/keys/${name}`, import.meta.url), "utf8");
}

/** What `fixtures/keys/keys.json` says of the test keys. */
export const testKeys = JSON.parse(keyFile("keys.json")) as Readonly<
  Record<string, { readonly recipient: string; readonly identity_file?: string; readonly private_key_file?: string }>
>;

/** The recipient of a test key. */
export function recipientOf(name: string): string {
  return testKeys[name]?.recipient ?? "";
}
