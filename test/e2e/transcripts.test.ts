import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { programFolder } from "../support/sandbox.ts";
import {
  loadTranscripts,
  missingNeeds,
  removeKeyRings,
  replay,
  type Difference,
  type Phrase,
  type Transcript,
} from "../support/transcripts.ts";

const transcripts = loadTranscripts();
const phrases = readData("stderr-phrases.json") as readonly Phrase[];
const differences = readData("transcript-differences.json") as Readonly<Record<string, Difference>>;

/** By command, for the summary at the end. */
const failures = new Map<string, string[]>();

beforeAll(() => {
  programFolder();
});

afterAll(() => {
  removeKeyRings();
  if (failures.size > 0) console.log(summary());
});

describe.concurrent("behaves as recorded under the name sops", () => {
  for (const transcript of transcripts) {
    const missing = missingNeeds(transcript);
    const needs = missing.length === 0 ? "" : ` (needs ${missing.join(", ")})`;
    it.skipIf(missing.length > 0)(`${transcript.id} ${transcript.title}${needs}`, async () => {
      const problems = await replay(transcript, phrases, differences[transcript.id]);
      if (problems.length > 0) note(transcript, problems);
      expect(problems).toEqual([]);
    });
  }
});

/** The improvement's number; or, where the description of the format or of safety asks for more, its chapter. */
const SOURCE = /^(I-\d\d|file-format 10|safety 1\.3)$/u;

it("lists no difference without a transcript and the number of an improvement", () => {
  const ids = new Set(transcripts.map(({ id }) => id));
  for (const [id, difference] of Object.entries(differences)) {
    expect(ids).toContain(id);
    expect(difference.improvement).toMatch(SOURCE);
    expect(difference.reason).not.toBe("");
  }
});

it("looks for no phrase that was not recorded", () => {
  const collapse = (text: string): string => text.replaceAll('\\"', '"').replaceAll(/[\s|]+/gu, " ");
  const recorded = (ids?: readonly string[]): string =>
    transcripts
      .filter(({ id }) => ids?.includes(id) ?? true)
      .flatMap(({ steps }) => steps.map(({ stderr }) => collapse(stderr)))
      .join("\n");
  for (const entry of phrases) {
    if (typeof entry === "string") expect(recorded()).toContain(collapse(entry).trim());
    else for (const id of entry.only) expect(recorded([id]), id).toContain(entry.phrase);
  }
});

function readData(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));
}

function note(transcript: Transcript, problems: readonly string[]): void {
  const command = transcript.steps[0]?.argv.slice(1).find((argument) => /^[a-z]/u.test(argument)) ?? "(none)";
  const known = [
    "encrypt",
    "decrypt",
    "edit",
    "set",
    "unset",
    "rotate",
    "updatekeys",
    "groups",
    "exec-env",
    "exec-file",
  ];
  const name = [...known, "publish", "keyservice", "filestatus"].includes(command) ? command : "other";
  failures.set(name, [...(failures.get(name) ?? []), `${transcript.id} ${transcript.title}: ${problems[0] ?? ""}`]);
}

function summary(): string {
  const blocks = [...failures].map(
    ([command, lines]) => `${command} (${String(lines.length)})\n  ${lines.join("\n  ")}`,
  );
  return `Failed transcripts by command\n${blocks.join("\n")}`;
}
