import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { refuseUnaudited } from "../../../src/cli/audit.ts";
import { commands, type CommandName } from "../../../src/cli/commands.ts";
import { scratch } from "../../support/scratch.ts";

/** Commands of which the reference's audit log says nothing (cli-behaviour.md 9). */
const UNLOGGED: readonly string[] = ["updatekeys", "groups add", "groups delete", "keyservice", "filestatus"];
const names = Object.keys(commands) as CommandName[];

describe("where an audit is asked for", () => {
  it.each(names.filter((name) => !UNLOGGED.includes(name)))("I-45 %s is refused", (name) => {
    const path = scratch().put("audit.yaml", "");
    expect(() => {
      refuseUnaudited(name, path);
    }).toThrow(`${path} asks for an audit log, which this program does not keep: nothing was done`);
  });

  it.each(names.filter((name) => UNLOGGED.includes(name)))("I-45 %s is not", (name) => {
    refuseUnaudited(name, scratch().put("audit.yaml", ""));
  });

  it("a file that may not be read asks as well", () => {
    const path = scratch().put("audit.yaml", "", 0);
    expect(() => {
      refuseUnaudited("decrypt", path);
    }).toThrow("asks for an audit log");
  });
});

it("asks for no audit: nothing there, a file in place of the folder, a folder", () => {
  const box = scratch();
  refuseUnaudited("decrypt", box.at("audit.yaml"));
  refuseUnaudited("decrypt", `${box.put("sops", "")}/audit.yaml`);
  mkdirSync(box.at("folder"));
  refuseUnaudited("decrypt", box.at("folder"));
});
