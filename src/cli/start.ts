import { main } from "./main.ts";

/**
 * Starts the program in this process. The exit status is set, not forced: what was written to a pipe must get through
 * before the process ends.
 */
export function start(): void {
  const [, script = "leafcrypt", ...argv] = process.argv;
  void main(script, argv, process.env).then((status) => {
    process.exitCode = status;
  });
}
