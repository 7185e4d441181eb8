type Environment = Readonly<Record<string, string | undefined>>;

/** What a piece of text is, to the eye. */
export type Tone = "bold" | "underlined" | "green" | "red" | "yellow" | "cyan" | "grey";

/** Colours a text, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** Start and end of each tone, as terminal attributes. */
const codes: Readonly<Record<Tone, readonly [start: number, end: number]>> = {
  bold: [1, 22],
  underlined: [4, 24],
  green: [32, 0],
  red: [31, 0],
  yellow: [33, 0],
  cyan: [36, 0],
  grey: [37, 0],
};

/**
 * Whether the program's own texts are coloured, on either stream: only standard output decides (cli-behaviour.md 1.6).
 * The level of a log line goes by standard error alone; see `log.ts`.
 */
export function usesColour(stdoutIsTerminal: boolean, env: Environment): boolean {
  return stdoutIsTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/** A painter that colours, or one that does not. */
export function painter(isColoured: boolean): Paint {
  if (!isColoured) return (_tone, text) => text;
  return (tone, text) => `\u001B[${String(codes[tone][0])}m${text}\u001B[${String(codes[tone][1])}m`;
}
