/** Runs once before the suite. */
export default function setup(): void {
  // Child processes of the tests must not look different on a terminal.
  process.env["NO_COLOR"] = "1";
}
