import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FormatError } from "../../../src/errors.ts";
import type { FormatName } from "../../../src/formats/format.ts";
import { emitPlain, formatOfName, formatOfPath } from "../../../src/formats/registry.ts";
import { fixture, vectors } from "../../support/vectors.ts";

interface Conversion {
  readonly from: FormatName;
  readonly to: FormatName;
  readonly input: string;
  readonly output?: string;
  readonly error?: true;
}

describe("a tree of one format", () => {
  it.each(vectors("cross_format") as readonly Conversion[])("is written from $from to $to: $input", (conversion) => {
    const { documents } = formatOfName(conversion.from).read(Buffer.from(conversion.input));
    const emit = (): string => Buffer.from(emitPlain(formatOfName(conversion.to), documents, {})).toString();
    if (conversion.error === true) expect(emit).toThrow(expect.objectContaining({ code: "ERR_EMIT" }));
    else expect(emit()).toBe(conversion.output);
  });
});

interface Relaid {
  readonly id: string;
  readonly format: FormatName;
  readonly text: string;
}

describe("a file that was laid out by hand", () => {
  const { cases } = JSON.parse(fixture("interop/relaid.json").toString()) as { cases: readonly Relaid[] };
  /** A byte order mark: refused by the reference as well. Text after the end: it loses that, we refuse it. */
  const refused = new Set(["json-byte-order-mark", "json-trailing-junk"]);
  /** Line ends that a check-out converted are turned back. */
  const converted = new Set(
    cases.filter(({ format, text }) => format === "dotenv" && /^sops_.*\r$/m.test(text)).map(({ id }) => id),
  );

  it.each(cases.filter(({ format }) => format !== "yaml"))("is read and kept: $id", ({ id, format, text }) => {
    const named = formatOfName(format);
    if (refused.has(id)) {
      expect(() => named.read(Buffer.from(text))).toThrow(FormatError);
      return;
    }
    const source = named.read(Buffer.from(text));
    expect(Buffer.from(named.write(source, source.documents)).toString()).toBe(
      converted.has(id) ? text.replaceAll("\r\n", "\n") : text,
    );
  });
});

describe("a file that the reference wrote", () => {
  const folder = new URL("../../../fixtures/interop/encrypted/", import.meta.url);
  const files = readdirSync(folder)
    .map((name) => ({ name, format: formatOfPath(name) }))
    .filter(({ format }) => format.name !== "yaml");

  it.each(files)("is kept byte for byte, and printed as it was: $name", ({ name, format }) => {
    const bytes = readFileSync(new URL(name, folder));
    const source = format.read(bytes);
    expect(Buffer.from(format.write(source, source.documents)).equals(bytes)).toBe(true);
    const indent = name.includes("indent2") ? 2 : undefined;
    const printed = Buffer.from(format.emit(source.documents, indent === undefined ? {} : { indent })).toString();
    expect(printed).toBe(bytes.toString());
  });

  it("is there in every format", () => {
    expect(new Set(files.map(({ format }) => format.name))).toEqual(new Set(["json", "dotenv", "ini", "binary"]));
  });
});
