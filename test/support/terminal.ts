import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Sandbox } from "./sandbox.ts";

/** Why nothing can be shown on a terminal here; null if it can. */
export const withoutTerminal: string | null = spawnSync("tmux", ["-V"]).status === 0 ? null : "tmux is not installed";

/** A command running on a terminal of 80 by 24. */
export interface Screen {
  /** What is on the screen now, with wrapped lines put together. */
  text(): string;
  /** Waits until the screen shows something, and gives it. @throws with the screen, after ten seconds */
  waitFor(what: RegExp): Promise<string>;
  /** Presses keys, by the names tmux has for them (`Enter`, `C-c`), or types a text. */
  press(...keys: readonly string[]): void;
  close(): void;
}

/** Runs a shell command on a terminal; `EXIT <status>` appears when it has ended. */
export function onTerminal(box: Sandbox, command: string, env: Readonly<Record<string, string>> = {}): Screen {
  const socket = join(box.home, "tmux");
  const tmux = (...args: readonly string[]): string =>
    spawnSync("tmux", ["-S", socket, "-f", "/dev/null", ...args], { encoding: "utf8" }).stdout;
  const variables = Object.entries({ ...box.env, TERM: "screen", ...env }).map(([name, value]) => `${name}=${value}`);
  // A Ctrl-C is for the command: the shell around it goes on.
  const line = `trap : INT; ${command}; echo EXIT $?; sleep 60`;
  tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", box.dir, "env", "-i", ...variables, "/bin/sh", "-c", line);
  const text = (): string => tmux("capture-pane", "-p", "-J");
  return {
    text,
    async waitFor(what) {
      for (let tries = 0; tries < 100; tries += 1) {
        const shown = text();
        if (what.test(shown)) return shown;
        await delay(100);
      }
      throw new Error(`the screen never showed ${String(what)}:\n${text()}`);
    },
    press: (...keys) => void tmux("send-keys", ...keys),
    close: () => void tmux("kill-server"),
  };
}
