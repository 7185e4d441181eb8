import type { EndingSignal } from "../storage/cleanup.ts";

/** What becomes of a signal: it ends the program, after everything is cleaned up, or somebody else deals with it. */
export type SignalAnswer = "end" | "ignore";

/** Decides about the signals that would end the program. */
export interface SignalDesk {
  ask(signal: EndingSignal): SignalAnswer;
  /** Lets a command decide until the function returned is called; of several, the one that came last. */
  take(answer: (signal: EndingSignal) => SignalAnswer): () => void;
  /**
   * Leaves signals to the system while `use` blocks the process, which could not hear them: somebody who waits for input
   * that never comes can still end it.
   */
  standAside<T>(use: () => T): T;
}

/**
 * A desk at which every signal ends the program, as long as no command takes it.
 *
 * @param listen - begins to listen for signals, and asks `ask` about each; gives the function that stops it
 */
export function createSignalDesk(listen: (ask: SignalDesk["ask"]) => () => void): SignalDesk {
  const answers = new Set<(signal: EndingSignal) => SignalAnswer>();
  const ask: SignalDesk["ask"] = (signal) => [...answers].at(-1)?.(signal) ?? "end";
  let stop = listen(ask);
  return {
    ask,
    standAside(use) {
      stop();
      try {
        return use();
      } finally {
        stop = listen(ask);
      }
    },
    take(answer) {
      answers.add(answer);
      return () => {
        answers.delete(answer);
      };
    },
  };
}
