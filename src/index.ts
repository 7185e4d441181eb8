/**
 * leafcrypt as a library: secrets you can commit.
 *
 * Every function takes bytes and gives bytes; nothing is printed, no process ends, and what goes wrong is thrown as a
 * `SopsError` with a stable `code`.
 */
export { decrypt, type DecryptOptions } from "./operations/decrypt.ts";
export { encrypt, type EncryptOptions } from "./operations/encrypt.ts";
export { rotate, type RotateOptions } from "./operations/rotate.ts";
export { set, unset, type SetOptions } from "./operations/set.ts";
export { beginEdit, beginNewFile, type EditOptions, type EditSession } from "./operations/edit.ts";
export { fileStatus, type FileStatus } from "./operations/status.ts";
export type { Context, FormatChoice, Layout } from "./operations/context.ts";
export type { EncryptionPolicy } from "./config/policy.ts";
export { formatOfName, formatOfPath } from "./formats/registry.ts";
export type { Format, FormatName, Source } from "./formats/format.ts";
export { parseTreePath, type TreePath } from "./document/path.ts";
export { entry, leaf, mapping, sequence, Timestamp, type Mapping, type Node, type Scalar } from "./document/model.ts";
export { keyBackends } from "./keys/registry.ts";
export type { KeyBackend, KeyRecord, KeyType, MasterKey } from "./keys/backend.ts";
export { localKeyService, remoteKeyService, type KeyService } from "./keys/service/service.ts";
export { DataKeyError } from "./keys/groups.ts";
export { nodeHost } from "./node-host.ts";
export type { Host, ProcessOptions, ProcessResult } from "./host.ts";
export {
  ConfigError,
  EmitError,
  FormatError,
  KeyError,
  MacMismatchError,
  SopsError,
  ValueError,
  type ErrorCode,
} from "./errors.ts";
