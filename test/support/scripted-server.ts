import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { listenOnLoopback } from "./loopback.ts";

/** One answer: a status with a body, or a way to fail. */
export type Answer =
  | { readonly status: number; readonly body?: string; readonly headers?: Readonly<Record<string, string>> }
  | "silence"
  | "reset"
  | "half";

/** A request as it came. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** A server that gives the answers it is told, for what no counterpart shows: throttling, denial, broken answers. */
export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly SeenRequest[];
  /** Answers in order; the last one is repeated. */
  script(...answers: readonly Answer[]): void;
  stop(): Promise<void>;
}

/** Starts it on a free loopback port. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  let answers: readonly Answer[] = [];
  let next = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("error", () => undefined);
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      });
      const answer = answers[Math.min(next++, answers.length - 1)] ?? "silence";
      if (answer === "silence") return;
      if (answer === "reset") request.socket.resetAndDestroy();
      else if (answer === "half") {
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"half":');
        setTimeout(() => request.socket.destroy(), 20);
      } else {
        response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
        response.end(answer.body ?? "{}");
      }
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    requests,
    script(...told) {
      answers = told;
      next = 0;
      requests.length = 0;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
