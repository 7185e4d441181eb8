import type { AuditAction } from "../audit/log.ts";
import type { EmitStyle, Format } from "../formats/format.ts";
import type { Host } from "../host.ts";
import type { KeyBackend, KeyType } from "../keys/backend.ts";
import type { KeyService } from "../keys/service/service.ts";
import type { Review } from "./guard.ts";

/** Version of the wire format we write, as the reference numbers it; older readers check it (file-format.md 6.7). */
export const FORMAT_VERSION = "3.13.2";

/**
 * How text is laid out: `keep` leaves everything but values and metadata as it was written, `reference` prints the
 * canonical text of sops. Where there is no text to keep (another output format) it is always the latter.
 */
export type Layout = "keep" | "reference";

/** What every operation needs beside the file. */
export interface Context {
  readonly host: Host;
  readonly backends: readonly KeyBackend[];
  /** Where keys are used, in the order they are asked. */
  readonly services: readonly KeyService[];
  readonly decryptionOrder: readonly KeyType[];
  /** Looks at an encrypted file before it is written again. */
  readonly review?: Review;
  /** Writes down what is about to be done to the file; if that fails, it is not done. The program alone keeps such a log. */
  readonly record?: (action: AuditAction) => Promise<void>;
}

/** How a file is read and its result written. */
export interface FormatChoice {
  readonly input: Format;
  readonly output: Format;
  readonly layout: Layout;
  readonly style: EmitStyle;
}
