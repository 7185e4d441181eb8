import { symlinkSync } from "node:fs";
import { expect, it } from "vitest";
import { readAuditSettings } from "../../../src/audit/settings.ts";
import { scratch } from "../../support/scratch.ts";

it("gives the connection strings in their order", async () => {
  const text = "backends:\n  postgres:\n    - connection_string: host=a\n    - connection_string: 'postgres://b'\n";
  expect(await readAuditSettings(scratch().put("audit.yaml", text))).toEqual(["host=a", "postgres://b"]);
});

// Root may read everything.
it.skipIf(process.getuid?.() === 0)("takes a file that may not be read for none, as the reference does", async () => {
  expect(await readAuditSettings(scratch().put("audit.yaml", "backends: [", 0))).toEqual([]);
});

it("refuses a file that cannot be read for another reason, which a user may have brought about", async () => {
  const path = scratch().at("audit.yaml");
  symlinkSync(path, path);
  await expect(readAuditSettings(path)).rejects.toThrow("Error reading file");
});

it.each([
  ["backends: {mysql: []}", "1:12: unknown member; only postgres is known here"],
  ["backend: {}", "1:1: unknown member; only backends is known here"],
  ["backends: {postgres: [{connectionString: host=a}]}", "1:24: unknown member; only connection_string is known here"],
  ["backends: {postgres: host=a}", "1:22: expected a list of databases, got text"],
  ["backends: {postgres: [host=a]}", "1:23: expected a mapping, got text"],
])("refuses %s", async (text, message) => {
  await expect(readAuditSettings(scratch().put("audit.yaml", text))).rejects.toThrow(message);
});
