import { isIP } from "node:net";
import { checkServerIdentity, type ConnectionOptions } from "node:tls";
import type { Client, ClientConfig } from "pg";
import { SopsError } from "../errors.ts";
import type { Host } from "../host.ts";
import { callRemote, connectionFailure, loadOptional, type Failure } from "../keys/call.ts";
import type { Connection, Server } from "./connection.ts";

const INSERT = "INSERT INTO audit_event (action, username, file) VALUES ($1, $2, $3)";

/** One database that events are written to, over one connection. */
export class AuditDatabase {
  readonly #connection: Connection;
  readonly #host: Host;
  #client: Client | undefined;

  constructor(connection: Connection, host: Host) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Connects, and sees whether the database answers. @throws {SopsError} ERR_AUDIT */
  async connect(): Promise<void> {
    this.#client = await this.#ask("cannot be used", async (signal) => {
      const client = await connectTo(this.#connection, signal);
      client.once("end", () => {
        if (this.#client === client) this.#client = undefined;
      });
      return client;
    });
  }

  /** Inserts one row. A connection that was lost meanwhile, as in a long edit, is made anew. @throws {SopsError} ERR_AUDIT */
  async insert(action: string, username: string, file: string): Promise<void> {
    if (this.#client === undefined) await this.connect();
    const client = this.#client;
    await this.#ask("did not take the event", async (signal) => {
      if (client === undefined) throw new Error("no connection");
      await endedBy(signal, client, client.query(INSERT, [action, username, file]));
    });
  }

  /** Says good-bye; what does not answer is left. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    await Promise.race([client.end(), new Promise((resolve) => setTimeout(resolve, CLOSING).unref())]);
  }

  async #ask<T>(failed: string, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await callRemote({ failed, attempt, explain, limit: this.#connection.limit }, this.#host);
    } catch (error) {
      if (!(error instanceof SopsError) || error.code !== "ERR_KEY") throw error;
      throw new SopsError("ERR_AUDIT", error.message);
    }
  }
}

/** Milliseconds that the end of a connection may take. */
const CLOSING = 1000;

/** The first server that takes us. @throws what the first of them said, if none does */
async function connectTo(connection: Connection, signal: AbortSignal): Promise<Client> {
  const { default: pg } = await loadOptional("pg", () => import("pg"));
  const errors: unknown[] = [];
  for (const server of connection.servers) {
    for (const tls of server.protection) {
      const client = new pg.Client(configFor(connection, server, tls));
      // Without a listener, the loss of a connection nobody uses would end the process.
      client.on("error", () => undefined);
      try {
        await endedBy(signal, client, client.connect());
        return client;
      } catch (error) {
        destroy(client);
        if (signal.aborted) throw error;
        errors.push(error);
      }
    }
  }
  throw errors[0];
}

/** Every setting is given, so that the driver asks no variable and no file for it. */
function configFor(
  { user, database, options, application, isDirect }: Connection,
  { host, port, name, password }: Server,
  tls: Server["protection"][number],
): ClientConfig {
  return {
    ...{ user, database, host, port, options, keepAlive: true },
    password: () => password,
    ssl: tls === undefined ? false : { ...identityOf(name), ...tls },
    ...(isDirect ? { sslnegotiation: "direct" as const } : {}),
    ...(application === "" ? {} : { application_name: application }),
  };
}

/** Whom a certificate has to be for, wherever the connection goes. Addresses are not sent ahead (RFC 6066, section 3). */
function identityOf(name: string): ConnectionOptions {
  return {
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_asked, certificate) => checkServerIdentity(name, certificate),
  };
}

/** Waits for an answer until the signal fires, and then breaks the connection, as nothing else ends the wait. */
async function endedBy<T>(signal: AbortSignal, client: Client, answer: Promise<T>): Promise<T> {
  const stop = (): void => {
    destroy(client);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await answer;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function destroy(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}

const STATES: Readonly<Record<string, string>> = {
  "28P01": "the password is wrong",
  "28000": "the user may not log in",
  "3D000": "there is no such database",
  "42P01": "there is no table audit_event",
  "42703": "the table audit_event lacks a column",
  "42501": "the user may not insert into audit_event",
  "25006": "the database is read-only",
  "53300": "there are too many connections",
  "57P03": "the server is starting or stopping",
};

/** Reads a failure by its SQLSTATE or system code. What the server said names users and databases, and is not passed on. */
function explain(error: unknown): Failure {
  const state = error instanceof Error && "code" in error && "severity" in error ? String(error.code) : "";
  if (/^[\dA-Z]{5}$/.test(state)) {
    const meaning = STATES[state] ?? "the server refused";
    return { reason: `${meaning} (SQLSTATE ${state})`, passing: state === "57P03" };
  }
  const isUnprotected = error instanceof Error && error.message === "The server does not support SSL connections";
  if (isUnprotected)
    return { reason: "the server offers no TLS, which is required unless sslmode says otherwise", passing: false };
  return connectionFailure(error) ?? { reason: "the connection was not made, or was lost", passing: false };
}
