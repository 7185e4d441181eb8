import type { KeyChanges } from "../operations/update-keys.ts";
import type { Paint } from "./colour.ts";
import { escapeControls } from "./log.ts";

/** Shows how a file's keys would change (cli-behaviour.md 2.8); groups are counted from 1 here. */
export function formatKeyChanges(changes: KeyChanges, paint: Paint, headline: string): string {
  const lines = [headline, ...thresholdLines(changes, paint)];
  changes.groups.forEach(({ kept, added, removed }, index) => {
    lines.push(paint("underlined", `Group ${String(index + 1)}`));
    for (const key of kept) lines.push(`    ${escapeControls(key.id)}`);
    for (const key of added) lines.push(`${paint("green", "+++")} ${escapeControls(key.id)}`);
    for (const key of removed) lines.push(`${paint("red", "---")} ${escapeControls(key.id)}`);
  });
  return `${lines.join("\n")}\n`;
}

function thresholdLines({ oldThreshold, newThreshold }: KeyChanges, paint: Paint): string[] {
  if (oldThreshold === newThreshold) return newThreshold > 0 ? [`shamir_threshold: ${String(newThreshold)}`] : [];
  return [
    ...(newThreshold > 0 ? [`${paint("green", "+++")} shamir_threshold: ${String(newThreshold)}`] : []),
    ...(oldThreshold > 0 ? [`${paint("red", "---")} shamir_threshold: ${String(oldThreshold)}`] : []),
  ];
}
