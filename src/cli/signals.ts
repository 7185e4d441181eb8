import type { EndingSignal } from "../storage/cleanup.ts";

/** What becomes of a signal: it ends the program, after everything is cleaned up, or somebody else deals with it. */
export type SignalAnswer = "end" | "ignore";

/** Decides about the signals that would end the program. */
export interface SignalDesk {
  ask(signal: EndingSignal): SignalAnswer;
  /** Lets a command decide until the function returned is called; of several, the one that came last. */
  take(answer: (signal: EndingSignal) => SignalAnswer): () => void;
}

/** A desk at which every signal ends the program, as long as no command takes it. */
export function createSignalDesk(): SignalDesk {
  const answers = new Set<(signal: EndingSignal) => SignalAnswer>();
  return {
    ask: (signal) => [...answers].at(-1)?.(signal) ?? "end",
    take(answer) {
      answers.add(answer);
      return () => {
        answers.delete(answer);
      };
    },
  };
}
