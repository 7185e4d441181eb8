import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { listenOnLoopback } from "../../../support/loopback.ts";
import type { Running } from "../process.ts";

/** A proxy that knows only `CONNECT` and leads host names to loopback ports; hosts without one are refused. */
export async function startConnectProxy(
  portOf: (host: string) => number | null,
): Promise<Running & { readonly hosts: string[] }> {
  const hosts: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => response.writeHead(405).end());
  server.on("connect", (request, client: Socket) => {
    const host = (request.url ?? "").split(":")[0] ?? "";
    hosts.push(host);
    sockets.add(client);
    client.on("error", () => client.destroy());
    const targetPort = portOf(host);
    if (targetPort === null) {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const target = connect(targetPort, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    sockets.add(target);
    target.on("error", () => client.destroy());
  });
  const port = await listenOnLoopback(server);
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, hosts, kill: () => void stop(), stop };
}
