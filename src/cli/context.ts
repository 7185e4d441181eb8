import { resolve } from "node:path";
import { SopsError } from "../errors.ts";
import type { KeyType } from "../keys/backend.ts";
import { DEFAULT_DECRYPTION_ORDER } from "../keys/groups.ts";
import { keyBackends } from "../keys/registry.ts";
import { localKeyService, remoteKeyService, type KeyService } from "../keys/service/service.ts";
import { sharingKeyService } from "../keys/service/sharing.ts";
import type { Context } from "../operations/context.ts";
import { isStandardInput } from "./files.ts";
import type { Session } from "./session.ts";

/**
 * What operations need beside the file: key backends, key services, the order in which keys are tried, and the audit log.
 *
 * @param operand - the file, whose name stands in the log
 * @throws {SopsError} ERR_DECRYPTION_ORDER, ERR_KEY for a key service whose address makes no sense
 */
export function contextOf(session: Session, operand: string | undefined): Context {
  const { audit, host, invocation, workingDirectory } = session;
  const context = {
    host,
    backends: keyBackends,
    services: keyServicesOf(session),
    decryptionOrder: parseDecryptionOrder(invocation.values["decryption-order"] ?? ""),
  };
  if (audit === undefined) return context;
  // Standard input has the working directory for a name (cli-behaviour.md 9).
  const file = operand === undefined || isStandardInput(operand) ? "" : operand;
  return { ...context, record: (action) => audit.record(action, resolve(workingDirectory, file)) };
}

/** One set for all files of a run: what was unwrapped for one is not asked for again for the next. */
const servicesOfRuns = new WeakMap<Session["invocation"], readonly KeyService[]>();

function keyServicesOf(session: Session): readonly KeyService[] {
  const services = servicesOfRuns.get(session.invocation) ?? makeKeyServices(session);
  servicesOfRuns.set(session.invocation, services);
  return services;
}

function makeKeyServices(session: Session): KeyService[] {
  const { host, cleanup } = session;
  const { values } = session.invocation;
  const services: KeyService[] = values["enable-local-keyservice"] === false ? [] : [localKeyService(host)];
  for (const uri of values.keyservice ?? []) {
    try {
      const service = remoteKeyService(uri, host);
      cleanup.add(() => service.close?.());
      services.push(service);
    } catch {
      session.log("warning", "Error parsing URI for keyservice, skipping", { uri }, "KEYSERVICE");
    }
  }
  return services.map(sharingKeyService);
}

const KEY_TYPES: readonly KeyType[] = ["age", "pgp", "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault"];

/** Reads `--decryption-order`: unknown types are ignored, repeated ones refused (cli-behaviour.md 6). */
export function parseDecryptionOrder(text: string): readonly KeyType[] {
  if (text === "") return DEFAULT_DECRYPTION_ORDER;
  const names = text.split(",");
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw new SopsError("ERR_DECRYPTION_ORDER", `Duplicate decryption key type: ${repeated}`, {
      hint: "name each type once",
    });
  }
  return names.flatMap((name) => KEY_TYPES.find((type) => type === name) ?? []);
}
