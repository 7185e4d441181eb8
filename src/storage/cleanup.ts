/** What must not outlive the process: locks and folders of plaintext, as tasks that remove them. */
export interface Cleanup {
  /** Adds a task; the function returned takes it off again, once the thing is removed in the normal way. */
  add(task: () => void): () => void;
  /** Runs each task once, the newest first; one that fails does not keep the others from running. */
  run(): void;
}

/** A fresh, empty list of tasks. */
export function createCleanup(): Cleanup {
  const tasks = new Set<() => void>();
  return {
    add(task) {
      tasks.add(task);
      return () => {
        tasks.delete(task);
      };
    },
    run() {
      for (const task of [...tasks].reverse()) {
        tasks.delete(task);
        try {
          task();
        } catch {
          // The process is ending; the next run looks for leftovers.
        }
      }
    },
  };
}

/** Signals that end a process unless it asks for them, and skip its `exit` handlers. */
export const endingSignals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

export type EndingSignal = (typeof endingSignals)[number];

/** The part of `process` that `installCleanup` uses. */
export interface SignalSource {
  readonly pid: number;
  on(event: "exit" | EndingSignal, listener: () => void): unknown;
  off(event: "exit" | EndingSignal, listener: () => void): unknown;
  kill(pid: number, signal: EndingSignal): unknown;
}

/**
 * Runs `cleanup` when the process ends, by itself or by a signal. A signal is then raised again without us listening, so
 * that the shell sees a process ended by it (128 + its number).
 *
 * @param onSignal - asked first; `"ignore"` when the signal is for somebody else, such as a Ctrl-C for the editor
 * @returns takes the handlers off again
 */
export function installCleanup(
  source: SignalSource,
  cleanup: Cleanup,
  onSignal: (signal: EndingSignal) => "end" | "ignore" = () => "end",
): () => void {
  const onExit = (): void => {
    cleanup.run();
  };
  const handlers = endingSignals.map((signal) => ({
    signal,
    handle: (): void => {
      if (onSignal(signal) === "ignore") return;
      cleanup.run();
      uninstall();
      source.kill(source.pid, signal);
    },
  }));
  const uninstall = (): void => {
    source.off("exit", onExit);
    for (const { signal, handle } of handlers) source.off(signal, handle);
  };
  source.on("exit", onExit);
  for (const { signal, handle } of handlers) source.on(signal, handle);
  return uninstall;
}
