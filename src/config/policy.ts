import type { SelectionRule } from "../document/selection.ts";
import { ConfigError, KeyError } from "../errors.ts";
import type { KeyBackend, KeyDefaults, MasterKey } from "../keys/backend.ts";
import { uniqueKeys } from "../keys/identity.ts";
import { readSelection } from "../metadata/selection.ts";
import { readKeyItems, type CreationRule, type FlatKeys, type KeyItem } from "./schema.ts";
import { describePlace, isPresent, ShapeReader, typeName } from "./value.ts";

/** How a file is encrypted when it is created, wherever that was said. */
export interface EncryptionPolicy {
  /** One group or several; a group may be empty, which is an error once data keys are wrapped. */
  readonly keyGroups: readonly (readonly MasterKey[])[];
  /** Groups needed to recover the data key; 0 means all. */
  readonly shamirThreshold: number;
  /** Undefined where nothing was said, which means the suffix `_unencrypted`. */
  readonly selection: SelectionRule | undefined;
  readonly macOnlyEncrypted: boolean;
  /** Whether the file gets a second authenticator (docs/integrity.md). */
  readonly integrity?: boolean;
}

/**
 * What a creation rule asks for. Its keys are made here, so that a rule that is not used cannot fail.
 *
 * @param defaults - of the flags; as in the reference the encryption context goes to the rule's own `kms` list, and
 *   the AWS profile is that of the rule
 * @throws {ConfigError} with the place, for more than one selection field or a key that its backend refuses
 */
export function policyFromRule(
  rule: CreationRule,
  backends: readonly KeyBackend[],
  defaults: KeyDefaults,
): EncryptionPolicy {
  const groups = rule.keyGroups.map((items) => items.flatMap((item) => makeKeys(item, rule, backends, {})));
  return {
    keyGroups: (groups.length > 0 ? groups : [flatKeys(rule, backends, defaults)]).map(uniqueKeys),
    shamirThreshold: rule.shamirThreshold,
    selection: readSelection(
      (kind) => rule.patterns.get(kind) ?? "",
      (names) =>
        new ConfigError(`error loading config: cannot use more than one of ${names} for the same rule`, {
          hint: `the rule stands at ${describePlace(rule.file, rule.position)}`,
        }),
    ),
    macOnlyEncrypted: rule.macOnlyEncrypted,
    integrity: rule.integrity,
  };
}

function flatKeys(rule: CreationRule, backends: readonly KeyBackend[], defaults: KeyDefaults): MasterKey[] {
  const { encryptionContext } = defaults;
  const ruleDefaults: KeyDefaults = {
    ...(rule.awsProfile === "" ? {} : { awsProfile: rule.awsProfile }),
    ...(encryptionContext === undefined ? {} : { encryptionContext }),
  };
  return rule.flatKeys.flatMap((keys) => {
    requireText(keys, rule);
    return readKeyItems(keys, new ShapeReader(rule.file)).flatMap((item) =>
      makeKeys(item, rule, backends, ruleDefaults),
    );
  });
}

/** The reference takes numbers for text in key groups only. @throws {ConfigError} */
function requireText({ name, value }: FlatKeys, rule: CreationRule): void {
  const isList = value.kind === "list";
  for (const item of isList ? value.items.filter(isPresent) : [value]) {
    if (typeName(item) === "string" || (isList && item.kind === "mapping")) continue;
    const expected = isList ? "expected string in list" : "expected string, []string, or nil";
    throw new ConfigError(
      `${describePlace(rule.file, item.position)}: invalid ${name} key configuration: ${expected}, got ${typeName(item)}`,
    );
  }
}

function makeKeys(
  { type, item, position }: KeyItem,
  rule: CreationRule,
  backends: readonly KeyBackend[],
  defaults: KeyDefaults,
): MasterKey[] {
  const backend = backends.find((candidate) => candidate.type === type);
  if (backend === undefined) return [];
  try {
    return typeof item === "string" ? backend.parse(item, defaults) : backend.fromGroupEntry(item);
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new ConfigError(`${describePlace(rule.file, position)}: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      cause: error,
    });
  }
}
