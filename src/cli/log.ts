import { painter, type Tone } from "./colour.ts";

/** How much a log line matters. Lines below `warning` are shown with `--verbose` only. */
export type LogLevel = "debug" | "info" | "warning" | "error" | "fatal";

/** The part of the program that speaks. */
export type LogComponent =
  | "CMD"
  | "SOPS"
  | "AES"
  | "AGE"
  | "AWSKMS"
  | "GCPKMS"
  | "HCKMS"
  | "AZKV"
  | "VAULT_TRANSIT"
  | "PGP"
  | "KEYSERVICE"
  | "EXEC"
  | "PUBLISH"
  | "AUDIT";

/** One line of the log. */
export interface LogRecord {
  readonly component: LogComponent;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, string>>;
}

/** How lines look. */
export interface LogStyle {
  /** Whether standard error is a terminal: the short, coloured form; it does not ask `NO_COLOR`. */
  readonly isTerminal: boolean;
  /** Whether the component is bold (`usesColour`). */
  readonly isColoured: boolean;
  /** When the program started; terminal lines count seconds from here. */
  readonly started: Date;
  /** The program's name, where lines are sentences behind it instead of what callers of the reference know. */
  readonly program?: string | undefined;
}

const levels: Readonly<Record<LogLevel, { readonly rank: number; readonly short: string; readonly tone: Tone }>> = {
  debug: { rank: 0, short: "DEBU", tone: "grey" },
  info: { rank: 1, short: "INFO", tone: "cyan" },
  warning: { rank: 2, short: "WARN", tone: "yellow" },
  error: { rank: 3, short: "ERRO", tone: "red" },
  fatal: { rank: 4, short: "FATA", tone: "red" },
};

/** Columns that a terminal line keeps free for its message. */
const MESSAGE_WIDTH = 44;

/** Whether a line is shown. */
export function isShown(level: LogLevel, isVerbose: boolean): boolean {
  return levels[level].rank >= levels[isVerbose ? "debug" : "warning"].rank;
}

/** Writes one log line, in the form that callers of the reference know (cli-behaviour.md 1.6) or ours, with its end. */
export function formatLogLine(record: LogRecord, now: Date, style: LogStyle): string {
  if (style.program !== undefined) return ownLine(record, style.program);
  const component = painter(style.isColoured)("bold", `[${record.component}]`);
  const body = style.isTerminal ? terminalBody(record, now, style) : plainBody(record, now);
  return `${component}\t ${body}\n`;
}

function ownLine(record: LogRecord, program: string): string {
  const lead = record.level === "info" || record.level === "debug" ? "" : `${record.level}: `;
  const fields = sortedFields(record).map(([key, value]) => `${key}=${quoteWhereNeeded(value)}`);
  const tail = fields.length === 0 ? "" : ` (${fields.join(", ")})`;
  return `${program}: ${lead}${escapeControls(record.message)}${tail}\n`;
}

function plainBody(record: LogRecord, now: Date): string {
  const pairs = [
    ["time", formatLocalTime(now)],
    ["level", record.level],
    ["msg", record.message],
    ...sortedFields(record),
  ] as const;
  return pairs.map(([key, value]) => `${key}=${quoteWhereNeeded(value)}`).join(" ");
}

function terminalBody(record: LogRecord, now: Date, style: LogStyle): string {
  const { short, tone } = levels[record.level];
  const paint = painter(true);
  const seconds = Math.max(0, Math.floor((now.getTime() - style.started.getTime()) / 1000));
  const message = escapeControls(record.message).padEnd(MESSAGE_WIDTH);
  const fields = sortedFields(record).map(([key, value]) => ` ${paint(tone, key)}=${quoteWhereNeeded(value)}`);
  return `${paint(tone, short)}[${String(seconds).padStart(4, "0")}] ${message} ${fields.join("")}`;
}

function sortedFields(record: LogRecord): readonly (readonly [string, string])[] {
  return Object.entries(record.fields ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
}

function quoteWhereNeeded(value: string): string {
  if (/^[\w\-./@^+]*$/u.test(value)) return value;
  return `"${escapeControls(value.replaceAll("\\", "\\\\").replaceAll('"', '\\"'))}"`;
}

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Makes what a terminal would obey visible: control characters, and marks that turn the direction of text. */
export function escapeControls(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (code > 0xffff) return `\\U${code.toString(16).padStart(8, "0")}`;
    return escapes[character] ?? (code < 0x80 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
  });
}

/** RFC 3339 in local time, whole seconds: `2026-01-02T03:04:05+01:00`, or `Z` where that is UTC. */
export function formatLocalTime(date: Date): string {
  const day = [pad(date.getFullYear(), 4), pad(date.getMonth() + 1), pad(date.getDate())].join("-");
  const offset = -date.getTimezoneOffset();
  const minutes = Math.abs(offset);
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
  return `${day}T${clock(date)}${offset === 0 ? "Z" : zone}`;
}

/** A progress line of updatekeys: `YYYY/MM/DD HH:MM:SS text`, in local time, with its line end. */
export function formatProgressLine(text: string, now: Date): string {
  return `${[pad(now.getFullYear(), 4), pad(now.getMonth() + 1), pad(now.getDate())].join("/")} ${clock(now)} ${text}\n`;
}

function clock(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part)).join(":");
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, "0");
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
