import { main } from "./main.ts";

/**
 * Starts the program in this process and ends it. Nothing is lost by that: the streams are written synchronously, while
 * an SDK may leave a connection behind that is still being made, and would keep the process alive.
 *
 * @param name - what the program was started as; by `sops` it speaks as the reference does
 */
export function start(name: string = process.argv[1] ?? "leafcrypt"): void {
  // Node prints warnings of SDKs for developers (such as on its own age) among our messages unless nobody listens.
  process.removeAllListeners("warning");
  void main(name, process.argv.slice(2), process.env).then((status) => {
    // eslint-disable-next-line no-restricted-syntax -- the one place: `main` has cleaned up
    process.exit(status);
  });
}
