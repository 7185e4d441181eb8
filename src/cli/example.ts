import type { FormatName } from "../formats/format.ts";

const WELCOME = "Welcome to SOPS! Edit this file as you please!";

/** What the editor shows for a file that is not there yet (cli-behaviour.md 7). */
export const exampleTexts: Readonly<Record<FormatName, string>> = {
  yaml: [
    `hello: ${WELCOME}`,
    "example_key: example_value",
    "# Example comment",
    "example_array:",
    "    - example_value1",
    "    - example_value2",
    "example_number: 1234.56789",
    "example_booleans:",
    "    - true",
    "    - false",
    "",
  ].join("\n"),
  json: [
    "{",
    `\t"hello": "${WELCOME}",`,
    `\t"example_key": "example_value",`,
    `\t"example_array": [`,
    `\t\t"example_value1",`,
    `\t\t"example_value2"`,
    "\t],",
    `\t"example_number": 1234.56789,`,
    `\t"example_booleans": [`,
    "\t\ttrue,",
    "\t\tfalse",
    "\t]",
    "}",
    "",
  ].join("\n"),
  dotenv: [
    "# This is an example file.",
    `hello=${WELCOME}`,
    "example_key=example_value",
    "example_multiline=foo\\nbar\\nbaz",
    "",
  ].join("\n"),
  ini: ["; This is an example file.", "[Welcome!]", `hello       = ${WELCOME}`, "example_key = example_value", ""].join(
    "\n",
  ),
  binary: WELCOME,
};
