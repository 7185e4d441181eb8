import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { KeyError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { bodyLines, decodeUnpadded, isBodyLine, isLastBodyLine, stanzaArgs, type Stanza } from "./header.ts";

/** A running plugin, spoken to in stanzas. */
export interface PluginProcess {
  send(stanza: Stanza): void;
  /** The next stanza. @throws {KeyError} if the plugin ends, says something else, or nothing for too long */
  receive(): Promise<Stanza>;
  /** Ends it. */
  close(): void;
}

/** Milliseconds a plugin may stay silent: it may wait for somebody to touch a key. */
const SILENCE_LIMIT = 60_000;
const MAX_OUTPUT_LENGTH = 1 << 20;

/**
 * Starts `age-plugin-NAME`, looked for on PATH alone, never in the working directory.
 *
 * @throws {KeyError} that names the program if there is none
 * @see https://github.com/C2SP/C2SP/blob/main/age-plugin.md
 */
export async function startPlugin(name: string, protocol: string, host: Host): Promise<PluginProcess> {
  const program = `age-plugin-${name}`;
  const file = findOnPath(program, host);
  if (file === undefined) throw new KeyError(`couldn't start plugin: "${program}": executable file not found in $PATH`);
  const child = spawn(file, [`--age-plugin=${protocol}`], { cwd: tmpdir(), env: { ...host.env }, stdio: "pipe" });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", () => {
      reject(new KeyError(`couldn't start plugin: ${program}`));
    });
  });
  child.stderr.resume(); // never read, and never shown: it may repeat what it was told
  child.stdin.on("error", () => undefined); // a plugin that ended shows when it is read from
  return overPipes(child, program);
}

function overPipes(child: ChildProcessWithoutNullStreams, program: string): PluginProcess {
  const lines = readLines(child, program);
  const nextLine = async (): Promise<string> => {
    const { value, done } = await withinLimit(lines.next(), child, program);
    if (done === true) throw new KeyError(`${program} ended in the middle of the conversation`);
    return value;
  };
  return {
    send: ({ args, body }) => void child.stdin.write(`-> ${args.join(" ")}\n${bodyLines(body).join("\n")}\n`),
    receive: () => receiveStanza(nextLine, program),
    close: () => void child.kill("SIGKILL"),
  };
}

async function receiveStanza(nextLine: () => Promise<string>, program: string): Promise<Stanza> {
  const args = stanzaArgs(await nextLine());
  let text = "";
  while (args !== undefined) {
    const line = await nextLine();
    if (!isBodyLine(line)) break;
    text += line;
    if (!isLastBodyLine(line)) continue;
    const body = decodeUnpadded(text);
    if (body === undefined) break;
    return { args, body };
  }
  throw new KeyError(`${program} does not speak the plugin protocol`);
}

/** Hands out standard output line by line, up to a limit on all of it. */
async function* readLines(child: ChildProcessWithoutNullStreams, program: string): AsyncGenerator<string, undefined> {
  let pending = "";
  let length = 0;
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_OUTPUT_LENGTH) throw new KeyError(`${program} said more than 1 MiB`);
    const [last, ...complete] = `${pending}${chunk.toString("latin1")}`.split("\n").reverse();
    pending = last ?? "";
    yield* complete.reverse();
  }
  return undefined;
}

async function withinLimit<T>(promise: Promise<T>, child: ChildProcessWithoutNullStreams, program: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new KeyError(`${program} said nothing for ${String(SILENCE_LIMIT / 1000)} seconds`));
    }, SILENCE_LIMIT);
  });
  try {
    return await Promise.race([promise, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function findOnPath(program: string, host: Host): string | undefined {
  const isWindows = host.platform === "win32";
  const folders = (host.env["PATH"] ?? "").split(isWindows ? ";" : ":").filter((folder) => path.isAbsolute(folder));
  return folders.map((folder) => path.join(folder, isWindows ? `${program}.exe` : program)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
