import { SopsError } from "../errors.ts";
import type { KeyType } from "../keys/backend.ts";
import { DEFAULT_DECRYPTION_ORDER } from "../keys/groups.ts";
import { keyBackends } from "../keys/registry.ts";
import { localKeyService, remoteKeyService, type KeyService } from "../keys/service/service.ts";
import { sharingKeyService } from "../keys/service/sharing.ts";
import type { Context } from "../operations/context.ts";
import type { Session } from "./session.ts";

/**
 * What operations need beside the file: key backends, key services and the order in which keys are tried.
 *
 * @throws {SopsError} ERR_DECRYPTION_ORDER, ERR_KEY for a key service whose address makes no sense
 */
export function contextOf(session: Session): Context {
  const { values } = session.invocation;
  return {
    host: session.host,
    backends: keyBackends,
    services: keyServicesOf(session),
    decryptionOrder: parseDecryptionOrder(values["decryption-order"] ?? ""),
  };
}

function keyServicesOf(session: Session): KeyService[] {
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
