import { connect, createServer, type Socket } from "node:net";
import { listenOnLoopback } from "../../support/loopback.ts";

/** What a gate does with connections: pass them on, take them and say nothing, refuse them, or cut them in the middle. */
export type GateMode = "open" | "silent" | "closed" | "cut";

/** A TCP forwarder in front of a server, whose failures can be chosen. */
export interface Gate {
  readonly port: number;
  mode: GateMode;
  /** Connections taken since the start. */
  readonly connections: number;
  stop(): Promise<void>;
}

/** Starts a gate to a loopback port. In mode `cut` a connection ends after the first bytes of a request. */
export async function startGate(targetPort: number): Promise<Gate> {
  const state: { mode: GateMode; connections: number } = { mode: "open", connections: 0 };
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    state.connections++;
    keep(client);
    if (state.mode === "closed") client.resetAndDestroy();
    else if (state.mode === "cut") client.once("data", () => client.resetAndDestroy());
    else if (state.mode === "open") {
      const target = connect(targetPort, "127.0.0.1");
      keep(target);
      target.on("close", () => client.destroy());
      client.on("close", () => target.destroy());
      client.pipe(target).pipe(client);
    }
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    get mode() {
      return state.mode;
    },
    set mode(mode: GateMode) {
      state.mode = mode;
    },
    get connections() {
      return state.connections;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
