import { statSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions, SecureVersion } from "node:tls";
import { SopsError } from "../errors.ts";
import { readInput } from "../storage/read.ts";

/** How a connection is protected: without TLS, with it, or one after the other until a server takes it. */
export type Protection = readonly (ConnectionOptions | undefined)[];

const MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] as const;
type Mode = (typeof MODES)[number];

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  "TLSv1.0": "TLSv1",
  "TLSv1.1": "TLSv1.1",
  "TLSv1.2": "TLSv1.2",
  "TLSv1.3": "TLSv1.3",
};

/**
 * What `sslmode` and its companions ask for. Without them TLS is required, though nobody vouches for the server: so the
 * reference has it. A root certificate, even one in the folder `~/.postgresql`, makes it be checked.
 *
 * @param get - gives a parameter, or "" where it is not set
 * @throws {SopsError} ERR_AUDIT for a value that does not exist or a file that cannot be used
 */
export function protectionFrom(get: (name: string) => string, home: string): Protection {
  const root = get("sslrootcert");
  const mode = modeFrom(get("sslmode"), root);
  if (mode === "disable") return [undefined];
  const options = { ...trustFrom(mode, root, get, home), ...certificateFrom(get, home), ...versionsFrom(get) };
  if (mode === "allow") return [undefined, options];
  return mode === "prefer" ? [options, undefined] : [options];
}

function modeFrom(text: string, root: string): Mode {
  const mode = text === "" ? (root === "system" ? "verify-full" : "require") : MODES.find((known) => known === text);
  if (mode === undefined) throw unusable(`sslmode is none of ${MODES.join(", ")}`);
  if (root === "system" && mode !== "verify-full") throw unusable("sslrootcert=system needs sslmode=verify-full");
  return mode;
}

/** Whom to trust; `verify-ca` leaves out whether the certificate is for this host. */
function trustFrom(mode: Mode, root: string, get: (name: string) => string, home: string): ConnectionOptions {
  const isInline = get("sslinline") !== "" && isOn(get("sslinline"));
  const usual = home === "" ? "" : join(home, "root.crt");
  const path = root === "" && !isInline && isThere(usual) ? usual : root;
  const isStrict = mode === "verify-ca" || mode === "verify-full";
  const isUsed = path !== "" && (isInline || isStrict || isThere(path));
  if (!isStrict && !isUsed) return { rejectUnauthorized: false };
  return {
    ...(isUsed && path !== "system" ? { ca: isInline ? path : readPem(path, "sslrootcert") } : {}),
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}

function certificateFrom(get: (name: string) => string, home: string): ConnectionOptions {
  const [certificate, key] = [get("sslcert"), get("sslkey")];
  if (isOn(get("sslinline"))) return certificate === "" ? {} : { cert: certificate, key };
  const inHome = (name: string): string => (home === "" ? "" : join(home, name));
  const certPath = certificate === "" ? inHome("postgresql.crt") : certificate;
  if (certPath === "" || !isThere(certPath)) return {};
  const keyPath = key === "" ? inHome("postgresql.key") : key;
  return { cert: readPem(certPath, "sslcert"), key: readPem(keyPath, "sslkey") };
}

function versionsFrom(get: (name: string) => string): ConnectionOptions {
  const [min, max] = ["ssl_min_protocol_version", "ssl_max_protocol_version"].map((name) => {
    const text = get(name);
    const version = VERSIONS[text];
    if (text !== "" && version === undefined) throw unusable(`${name} is none of ${Object.keys(VERSIONS).join(", ")}`);
    return version;
  });
  return { ...(min === undefined ? {} : { minVersion: min }), ...(max === undefined ? {} : { maxVersion: max }) };
}

function isOn(text: string): boolean {
  return ["1", "t", "true", "on", "y", "yes"].includes(text.toLowerCase());
}

function isThere(path: string): boolean {
  try {
    return path !== "" && statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path is part of the connection string, and not shown. */
function readPem(path: string, name: string): Buffer {
  try {
    return Buffer.from(readInput(path).bytes);
  } catch {
    throw unusable(`the file that ${name} names cannot be read`);
  }
}

function unusable(problem: string): SopsError {
  return new SopsError("ERR_AUDIT", `has a connection string that cannot be used: ${problem}`);
}
