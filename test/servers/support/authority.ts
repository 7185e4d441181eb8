import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate authority of one run, and a server's certificate it has signed. */
export interface Authority {
  readonly caFile: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:*.vault.azure.net,DNS:*.googleapis.com,DNS:*.example.test";

/** Makes both with openssl, for `localhost`, `127.0.0.1`, and names of Azure, of Google and below `example.test`. */
export function createAuthority(folder: string): Authority {
  const file = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { stdio: "pipe" });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"];
  openssl(
    "req",
    "-x509",
    ...newKey,
    "-days",
    "2",
    "-subj",
    "/CN=test authority",
    "-keyout",
    file("ca.key"),
    "-out",
    file("ca.crt"),
  );
  openssl("req", ...newKey, "-subj", "/CN=localhost", "-keyout", file("server.key"), "-out", file("server.csr"));
  writeFileSync(file("names"), `${NAMES}\n`);
  openssl(
    ...["x509", "-req", "-in", file("server.csr"), "-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"],
    ...["-days", "2", "-extfile", file("names"), "-out", file("server.crt")],
  );
  const text = (name: string): string => readFileSync(file(name), "utf8");
  return { caFile: file("ca.crt"), ca: text("ca.crt"), cert: text("server.crt"), key: text("server.key") };
}
