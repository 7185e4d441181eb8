import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { auditFor } from "../../../src/cli/audit.ts";
import { commands, type CommandName } from "../../../src/cli/commands.ts";
import { testHost } from "../../support/host.ts";
import { scratch } from "../../support/scratch.ts";

/** Commands of which the reference's audit log says nothing (cli-behaviour.md 9). */
const UNLOGGED: readonly string[] = ["updatekeys", "groups add", "groups delete", "keyservice", "filestatus"];
const names = Object.keys(commands) as CommandName[];

describe("where an audit is asked for", () => {
  const broken = (): string => scratch().put("audit.yaml", "backends: [");

  it.each(names.filter((name) => !UNLOGGED.includes(name)))("I-45 %s is written down", async (name) => {
    await expect(auditFor(name, testHost(), broken())).rejects.toThrow("audit.yaml:1:12: not valid YAML");
  });

  it.each(names.filter((name) => UNLOGGED.includes(name)))("I-45 %s is not", async (name) => {
    expect(await auditFor(name, testHost(), broken())).toBeUndefined();
  });
});

it("asks for no audit: nothing there, a file in place of the folder, a folder, a file without databases", async () => {
  const box = scratch();
  mkdirSync(box.at("folder"));
  for (const path of [box.at("absent"), `${box.put("sops", "")}/audit.yaml`, box.at("folder"), box.put("empty", "")])
    expect(await auditFor("decrypt", testHost(), path)).toBeUndefined();
});
