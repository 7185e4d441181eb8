import { KeyError, messageOf } from "../../errors.ts";
import { keyBackends } from "../../keys/registry.ts";
import { type KeyServiceOptions, type RunningKeyService, startKeyService } from "../../keys/service/server.ts";
import { isServiceNetwork } from "../../keys/service/uri.ts";
import type { Session } from "../session.ts";

/** `keyservice`: answers until SIGINT or SIGTERM, then ends with status 0. */
export async function keyServiceAction(session: Session): Promise<number> {
  const { network = "tcp", address = "127.0.0.1:5000", prompt } = session.invocation.values;
  if (!isServiceNetwork(network)) throw new KeyError(`unknown network ${network}`, { hint: "tcp or unix" });
  const ended = untilSignal(session); // from the start: a signal may come as soon as the socket is there
  const service = await listen(session, {
    network,
    address,
    backends: keyBackends,
    host: session.host,
    ...(prompt === true ? { approve: approver(session) } : {}),
    onRequest: (verb, key, succeeded) => {
      session.log("info", `${verb} request ${succeeded ? "answered" : "failed"}`, { key }, "KEYSERVICE");
    },
  });
  session.log("info", "Listening", { network, address: service.address }, "KEYSERVICE");
  await ended;
  await service.stop();
  return 0;
}

async function listen(session: Session, options: KeyServiceOptions): Promise<RunningKeyService> {
  try {
    return await startKeyService(options);
  } catch (error) {
    session.log("error", `Error running keyservice: ${messageOf(error)}`);
    throw error;
  }
}

/** The two signals are how a service is meant to end. */
async function untilSignal({ signals }: Session): Promise<void> {
  await new Promise<void>((resolve) => {
    const release = signals.take((signal) => {
      if (signal !== "SIGINT" && signal !== "SIGTERM") return "end";
      release();
      resolve();
      return "ignore";
    });
  });
}

/** Asks on standard output and reads `y` or `n`; the end of input is a no. Signals are heard while it waits. */
function approver({ terminal }: Session): NonNullable<KeyServiceOptions["approve"]> {
  let lines: AsyncIterator<string> | undefined;
  return async (verb, key) => {
    if (lines === undefined) {
      const { createInterface } = await import("node:readline");
      lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
    }
    for (;;) {
      terminal.print(`\nReceived ${verb} request using ${key}. Respond to request? (y/n): `);
      const line = await lines.next();
      if (line.done === true || line.value.trim() === "n") return false;
      if (line.value.trim() === "y") return true;
    }
  };
}
