import { main } from "./main.ts";

/**
 * Starts the program in this process and ends it. Nothing is lost by that: the streams are written synchronously, while
 * an SDK may leave a connection behind that is still being made, and would keep the process alive.
 */
export function start(): void {
  // Node prints warnings of SDKs for developers (such as on its own age) among our messages unless nobody listens.
  process.removeAllListeners("warning");
  const [, script = "leafcrypt", ...argv] = process.argv;
  void main(script, argv, process.env).then((status) => {
    process.exit(status);
  });
}
