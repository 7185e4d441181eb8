import { age } from "./age/backend.ts";
import { awsKms } from "./aws-kms.ts";
import { azureKeyVault } from "./azure-key-vault.ts";
import type { KeyBackend } from "./backend.ts";
import { gcpKms } from "./gcp-kms.ts";
import { huaweiKms } from "./huawei-kms.ts";
import { pgp } from "./pgp.ts";
import { vaultTransit } from "./vault-transit.ts";

/**
 * Every key type, in the order keys are read from a file (file-format.md 5.1). A new backend is one file and one line
 * here: flags, configuration keys and metadata follow from its names.
 */
export const keyBackends: readonly KeyBackend[] = [awsKms, gcpKms, huaweiKms, azureKeyVault, vaultTransit, pgp, age];
