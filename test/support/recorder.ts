import { createServer, type IncomingHttpHeaders } from "node:http";
import { listenOnLoopback } from "./loopback.ts";

/** One request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What is answered. */
export interface Answer {
  readonly status?: number;
  readonly body: string;
  readonly type?: string;
}

/** An HTTP server on loopback that keeps what it was asked. */
export interface Recorder {
  readonly url: string;
  readonly port: number;
  readonly requests: readonly RecordedRequest[];
  stop(): Promise<void>;
}

/** Starts a server whose answers a function gives. */
export async function startRecorder(answer: (request: RecordedRequest) => Answer): Promise<Recorder> {
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const { method = "", url: path = "", headers } = incoming;
      const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
      requests.push(request);
      const { status = 200, body, type = "application/json" } = answer(request);
      outgoing.writeHead(status, { "content-type": type });
      outgoing.end(body);
    });
  });
  const port = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${String(port)}`,
    port,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
