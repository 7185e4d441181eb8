// The faults D1 to D25 of the metadata, which nothing signs: refused, or read as the reference reads them.
import { beforeAll, describe, expect, it } from "vitest";
import { set } from "../../../src/operations/set.ts";
import type { Review, Rewrite } from "../../../src/operations/guard.ts";
import { newlyClear, unnamedKeys } from "../../../src/operations/guard.ts";
import { compileSelection, DEFAULT_SELECTION } from "../../../src/document/selection.ts";
import { parseTreePath } from "../../../src/document/path.ts";
import { leaf } from "../../../src/document/model.ts";
import { age } from "../../../src/keys/age.ts";
import { AGE1, CANARY, outcomeOf, workbench, type Workbench } from "../../support/workbench.ts";

const PLAIN = `a: ${CANARY}\nb: 2\nc_unencrypted: open\n`;
const STRANGER = "age16aqrer9e53tnj7wf96tmf0faxq528uerwt0ad5g64w96gyd3kanq68v690";

let bench: Workbench;
let encrypted: string;

beforeAll(async () => {
  bench = workbench();
  encrypted = (await bench.encrypt("yaml", PLAIN)).text;
});

type Change = (text: string) => string;

const without: (field: string) => Change = (field) => (text) => text.replace(new RegExp(`^ *${field}: .*\n`, "m"), "");
const field: (name: string, value: string) => Change = (name, value) => (text) =>
  text.replace(new RegExp(`^( *)${name}: .*$`, "m"), `$1${name}: ${value}`);
const added: (lines: string) => Change = (lines) => (text) => text.replace(/^sops:\n/m, `sops:\n    ${lines}\n`);
const block: (value: string) => Change = (value) => (text) => `${text.slice(0, text.indexOf("sops:"))}sops: ${value}\n`;
const middle: Change = (text) =>
  `z_unencrypted: ""\n${text.slice(text.indexOf("sops:"))}${text.slice(0, text.indexOf("sops:"))}`;

describe("metadata with", () => {
  it.each<{ id: string; name: string; change: Change; status: number; message?: RegExp }>([
    {
      id: "D1",
      name: "nothing of them",
      change: (text) => text.slice(0, text.indexOf("sops:")),
      status: 1,
      message: /sops metadata not found/,
    },
    { id: "D2", name: "the block twice", change: (text) => text + text.slice(text.indexOf("sops:")), status: 1 },
    ...["text", "[a]", "12"].map((value) => ({ id: "D2", name: `sops: ${value}`, change: block(value), status: 1 })),
    { id: "D3", name: "the block first", change: middle, status: 0 },
    { id: "D4", name: "two selections", change: added("encrypted_suffix: _x"), status: 1, message: /more than one/ },
    ...["unencrypted_regex", "encrypted_regex", "unencrypted_comment_regex", "encrypted_comment_regex"].map((kind) => ({
      id: "D5",
      name: `a broken ${kind}`,
      change: (text: string) => field("unencrypted_suffix", "x")(text).replace("unencrypted_suffix: x", `${kind}: (`),
      status: 1,
      message: new RegExp(`${kind}: can not compile regexp`),
    })),
    ...["(?=a)", "(a)\\\\1"].map((pattern) => ({
      id: "D7",
      name: `the pattern ${pattern}`,
      change: (text: string) => text.replace(/unencrypted_suffix: .*/, `unencrypted_regex: "${pattern}"`),
      status: 1,
    })),
    {
      id: "D9",
      name: "a selection widened over a cell",
      change: (text) => text.replace(/unencrypted_suffix: .*/, "unencrypted_regex: ^(a|c_.*)$"),
      status: 51,
    },
    { id: "D11", name: "mac_only_encrypted turned on", change: added("mac_only_encrypted: true"), status: 51 },
    ...['"true"', "1"].map((value) => ({
      id: "D11",
      name: `mac_only_encrypted: ${value}`,
      change: added(`mac_only_encrypted: ${value}`),
      status: 51,
    })),
    { id: "D11", name: "mac_only_encrypted: yes", change: added('mac_only_encrypted: "yes"'), status: 1 },
    ...["v3.9.0", "99.0.0", '"1.14"'].map((version) => ({
      id: "D12",
      name: `version ${version}`,
      change: field("version", version),
      status: 0,
    })),
    { id: "D12", name: "no version (I-47)", change: without("version"), status: 0 },
    { id: "D12", name: "version abc (I-47)", change: field("version", "abc"), status: 0 },
    ...["0", "1", "-1", '"2"', "5", "1000000000"].map((threshold) => ({
      id: "D14",
      name: `one group and shamir_threshold: ${threshold}`,
      change: added(`shamir_threshold: ${threshold}`),
      status: 0,
    })),
    { id: "D14", name: "shamir_threshold: 2.5", change: added("shamir_threshold: two"), status: 1 },
    ...["[]", "[{}]", "[null]"].map((groups) => ({
      id: "D16",
      name: `key_groups: ${groups} and no other key`,
      change: (text: string) => text.replace(/^ *age:\n( {8}.*\n)*/m, `    key_groups: ${groups}\n`),
      status: groups === "[]" ? 1 : 128,
    })),
    {
      id: "D18",
      name: "enc missing",
      change: (text) => text.replace(/- enc: \|\n( {12}.*\n)+ {10}/, "- "),
      status: 128,
    },
    { id: "D19", name: "an unknown field", change: added("unknown_field: {a: 1}"), status: 0 },
    {
      id: "D20",
      name: "fields named after Object.prototype",
      change: added("__proto__: {polluted: true}\n    constructor: {prototype: {polluted: true}}"),
      status: 0,
    },
    {
      id: "D24",
      name: "an anchor and an alias",
      change: (text) => text.replace(/version: .*/, "version: &v 3.13.2\n    other: *v"),
      status: 0,
    },
  ])("$id $name", async ({ change, status, message }) => {
    const altered = change(encrypted);
    expect(altered).not.toBe(encrypted);
    const outcome = await bench.decrypt("yaml", altered);
    expect(outcome).toMatchObject({ status });
    expect(outcome.message).not.toContain(CANARY);
    if (message !== undefined) expect(outcome.message).toMatch(message);
    expect("polluted" in {}).toBe(false);
  });

  it("D5 names the field and what is wrong with its pattern", async () => {
    const altered = encrypted.replace(/unencrypted_suffix: .*/, "unencrypted_regex: (");
    expect((await bench.decrypt("yaml", altered)).message).toMatch(/can not compile regexp/);
  });

  it("D8 a pattern that hangs other engines is no slower", async () => {
    const keys = `${"a".repeat(30)}!`;
    const before = performance.now();
    const outcome = await bench.encrypt("yaml", `"${keys}": ${CANARY}\n`, {
      selection: { kind: "unencrypted_regex", pattern: "(a+)+$" },
    });
    expect(outcome.status).toBe(0);
    expect(performance.now() - before).toBeLessThan(1000);
  });

  it("D6 patterns of Go mean what they mean there", async () => {
    for (const pattern of [
      "(?i)^PASS",
      "^(?P<n>pass)",
      "\\Apass",
      "word\\z",
      "^[[:alpha:]]+$",
      "^\\pL+$",
      "(?U)p.*s",
    ]) {
      const selection = { kind: "encrypted_regex", pattern } as const;
      const { text } = await bench.encrypt("yaml", `password: ${CANARY}\n"1": open\n`, { selection });
      expect(text, pattern).not.toContain(CANARY);
      expect(text, pattern).toContain('"1": open');
    }
  });

  it("D21, D22 gaps and far indices in flat names are refused, and nothing is allocated for them", async () => {
    const { text } = await bench.encrypt("dotenv", `A=${CANARY}\n`);
    for (const index of ["2", "99999999999"]) {
      const altered = text.replaceAll("sops_age__list_0__", `sops_age__list_${index}__`);
      expect(altered).not.toBe(text);
      expect(await bench.decrypt("dotenv", altered)).toMatchObject({ status: 1 });
    }
  });
});

describe("flat keys beside key_groups (D15)", () => {
  const shadowed = (): string => added(`key_groups: [{age: [{recipient: ${STRANGER}, enc: x}]}]`)(encrypted);

  it("open as in the reference, with a warning", async () => {
    const outcome = await bench.decrypt("yaml", shadowed());
    expect(outcome).toMatchObject({ status: 0, text: PLAIN });
    expect(outcome.warnings.join()).toContain("key_groups");
  });

  it("are never written", async () => {
    expect(await bench.rotate("yaml", shadowed())).toMatchObject({ status: 8 });
    const outcome = await outcomeOf(bench.host, () =>
      set(Buffer.from(shadowed()), parseTreePath(`["a"]`, "ERR_PATH"), leaf("x"), {
        ...bench.choice("yaml"),
        context: bench.context,
        ignoreMac: false,
        idempotent: false,
      }),
    );
    expect(outcome).toMatchObject({ status: 8 });
  });
});

describe("what a file asks for is shown before it is written", () => {
  async function rewritten(text: string, value: string): Promise<Rewrite> {
    const seen: Rewrite[] = [];
    const review: Review = (rewrite) => Promise.resolve(void seen.push(rewrite));
    await set(Buffer.from(text), parseTreePath(`["new_password"]`, "ERR_PATH"), leaf(value), {
      ...bench.choice("yaml"),
      context: { ...bench.context, review },
      ignoreMac: false,
      idempotent: false,
    });
    const [rewrite] = seen;
    if (rewrite === undefined) throw new Error("nothing was reviewed");
    return rewrite;
  }

  it("D10 a selection widened over a key to come: what would be stored in clear, and only that", async () => {
    const widened = encrypted.replace(/unencrypted_suffix: .*/, "unencrypted_regex: ^(new_password|c_unencrypted)$");
    const rewrite = await rewritten(widened, CANARY);
    const stored = await compileSelection({ kind: "unencrypted_regex", pattern: "^(new_password|c_unencrypted)$" });
    const wanted = await compileSelection(DEFAULT_SELECTION);
    expect(newlyClear(rewrite, stored, wanted)).toEqual([["new_password"]]);
    expect(newlyClear(rewrite, stored, stored)).toEqual([]);
    expect(newlyClear(await rewritten(widened, ""), stored, wanted)).toEqual([]);
  });

  it("D25 recipients that the rule does not name", async () => {
    const altered = encrypted.replace("- enc:", `- recipient: ${STRANGER}\n          enc: x\n        - enc:`);
    expect(altered).not.toBe(encrypted);
    const { metadata } = await rewritten(altered, "x");
    expect(unnamedKeys(metadata, [age.parse(AGE1, {})]).map(({ id }) => id)).toEqual([STRANGER]);
    expect(unnamedKeys(metadata, [age.parse(`${AGE1},${STRANGER}`, {})])).toEqual([]);
  });
});
