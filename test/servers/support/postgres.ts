import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority } from "./authority.ts";
import { freePort, start, type Running } from "./process.ts";
import { findProgram } from "./programs.ts";
import type { ServerKind } from "./servers.ts";

/** What an administrator's account is called, and its password. */
const ADMIN = { user: "admin", password: "admin-of-a-test" } as const;

/** A PostgreSQL with TLS on a loopback port and on a Unix socket. */
export interface Postgres extends Running {
  readonly socketFolder: string;
  readonly caFile: string;
  /** Runs statements as an administrator; gives the rows, with `|` between columns. */
  query(sql: string, database?: string): string[];
}

/** PostgreSQL itself. It does not run as root: then it gets the account that its package made. */
export const postgres: ServerKind<Postgres> = {
  name: "postgres",
  programs: ["postgres", "initdb", "psql", "openssl"],
  start: async (folder) => {
    const port = await freePort();
    const account = accountOf("postgres");
    const socketFolder = join(folder, "s");
    const own = (path: string): void => {
      if (account !== undefined) chownSync(path, account.uid, account.gid);
    };
    const { caFile, cert, key } = createAuthority(folder);
    chmodSync(folder, 0o711);
    chmodSync(caFile, 0o644);
    mkdirSync(socketFolder);
    own(socketFolder);
    const put = (name: string, text: string): string => {
      const path = join(socketFolder, name);
      writeFileSync(path, text, { mode: 0o600 });
      own(path);
      return path;
    };
    const files = {
      cert: put("server.crt", cert),
      key: put("server.key", key),
      password: put("password", ADMIN.password),
    };
    const data = join(socketFolder, "data");
    const login = ["-U", ADMIN.user, "-A", "scram-sha-256", `--pwfile=${files.password}`];
    const [program, ...args] = commandOf("initdb", account);
    execFileSync(program, [...args, "-D", data, ...login, "-N", "-E", "UTF8", "--locale=C"], {
      cwd: socketFolder,
      stdio: "pipe",
    });
    const tls = ["-c", "ssl=on", "-c", `ssl_cert_file=${files.cert}`, "-c", `ssl_key_file=${files.key}`];
    const [command, ...rest] = commandOf("postgres", account);
    const query = (sql: string, database = "postgres"): string[] => queryAt(port, database, sql);
    const running = await start({
      command,
      args: [...rest, "-D", data, "-k", socketFolder, "-h", "127.0.0.1", "-p", String(port), "-c", "fsync=off", ...tls],
      folder: socketFolder,
      port,
      isReady: () =>
        new Promise((resolve) => {
          resolve(query("select 1").length === 1);
        }),
    });
    return { ...running, socketFolder, caFile, query };
  },
};

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined where there is no need to be somebody else. */
function accountOf(name: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const [uid, gid] = ["-u", "-g"].map((option) => Number(execFileSync("id", [option, name], { encoding: "utf8" })));
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

function commandOf(name: string, account: Account | undefined): [string, ...string[]] {
  const program = findProgram(name) ?? name;
  if (account === undefined) return [program];
  return ["setpriv", `--reuid=${String(account.uid)}`, `--regid=${String(account.gid)}`, "--clear-groups", program];
}

function queryAt(port: number, database: string, sql: string): string[] {
  const where = ["-h", "127.0.0.1", "-p", String(port), "-U", ADMIN.user, "-d", database];
  const output = execFileSync(findProgram("psql") ?? "psql", [...where, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], PGPASSWORD: ADMIN.password },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return output.split("\n").filter((line) => line !== "");
}
