import { nodeHost } from "../../../src/node-host.ts";
import type { Host } from "../../../src/host.ts";

/** A host with the given environment alone; warnings are dropped. */
export function hostWith(env: Readonly<Record<string, string | undefined>>): Host {
  return nodeHost({ PATH: process.env["PATH"], ...env }, () => undefined);
}

/**
 * The SDKs read the process's own environment. Runs work with it changed: to these variables, and without any other of
 * theirs, so that nothing of the developer's account is used.
 */
export async function withEnvironment<T>(
  env: Readonly<Record<string, string | undefined>>,
  work: (host: Host) => Promise<T>,
): Promise<T> {
  const before = { ...process.env };
  for (const name of Object.keys(process.env)) {
    if (/^(AWS|AZURE|GOOGLE|VAULT|SOPS|HTTPS?_PROXY|NO_PROXY|IDENTITY)/i.test(name))
      Reflect.deleteProperty(process.env, name);
  }
  Object.assign(process.env, env);
  try {
    return await work(hostWith(env));
  } finally {
    for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  }
}
