import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
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
    const port = portOf(host);
    if (port === null) {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const target = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    sockets.add(target);
    target.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, hosts, kill: () => void stop(), stop };
}
