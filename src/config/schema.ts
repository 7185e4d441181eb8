/** The shape of `.sops.yaml` (cli-behaviour.md 4.3, 4.4): from located data to typed rules, both spellings of a key to one. */

import { SELECTION_KINDS, type SelectionKind } from "../document/selection.ts";
import type { KeyBackend, KeyType } from "../keys/backend.ts";
import { splitList } from "../keys/fields.ts";
import { DESTINATION_FIELDS, readDestinationRule, type DestinationRule } from "./destinations.ts";
import type { ConfigLocation } from "./find.ts";
import { closestName, nearestName } from "./nearest.ts";
import {
  describePlace,
  isPresent,
  shapeError,
  ShapeReader,
  type ConfigPosition,
  type Member,
  type Value,
} from "./value.ts";

/** A configuration file. */
export interface Config {
  readonly location: ConfigLocation;
  /** Undefined if the file has no rules; an empty list is one in which none matches. */
  readonly creationRules: readonly CreationRule[] | undefined;
  readonly destinationRules: readonly DestinationRule[];
  readonly stores: StoreSettings;
  /** What was not understood and is ignored, with its place; worth telling when rules are used. */
  readonly warnings: readonly string[];
}

/** Blanks per level, as `EmitStyle.indent` has them; undefined is the format's default. Not checked for range. */
export interface StoreSettings {
  readonly yaml?: number;
  readonly json?: number;
  readonly jsonBinary?: number;
}

/** A text with its place. */
export interface LocatedText {
  readonly text: string;
  readonly position: ConfigPosition;
}

/** One rule: how files of certain names are encrypted when they are created. */
export interface CreationRule {
  /** Name of the file that holds the rule, for messages. */
  readonly file: string;
  readonly position: ConfigPosition;
  /** RE2 pattern for file names; empty matches all. */
  readonly pathRegex: LocatedText;
  /** The selection fields that are not empty; more than one is an error once the rule is used. */
  readonly patterns: ReadonlyMap<SelectionKind, string>;
  /** Key lists of the rule itself, in the order of their keys. Read once the rule is used, as the reference does. */
  readonly flatKeys: readonly FlatKeys[];
  /** Key groups, merged and without null items; if there are any, `flatKeys` count for nothing. */
  readonly keyGroups: readonly (readonly KeyItem[])[];
  /** AWS profile of the `kms` items of the rule itself; empty for none. */
  readonly awsProfile: string;
  /** Groups needed to recover the data key; 0 means all. */
  readonly shamirThreshold: number;
  readonly macOnlyEncrypted: boolean;
  /** Whether new files get a second authenticator; sops ignores the field. */
  readonly integrity: boolean;
}

/** A key list of a rule, unread; `name` is the spelling that was used. */
export interface FlatKeys {
  readonly type: KeyType;
  readonly name: string;
  readonly value: Value;
}

/** One key, or a comma list of them: text as flags have it, or a mapping as an element of `key_groups` has it. */
export interface KeyItem {
  readonly type: KeyType;
  readonly item: string | Readonly<Record<string, unknown>>;
  readonly position: ConfigPosition;
}

/** What reading one file needs throughout. */
export interface SchemaContext {
  readonly reader: ShapeReader;
  readonly backends: readonly KeyBackend[];
  readonly warnings: string[];
}

/** Order of the keys of a rule and, after the merged ones, of a group (4.4). */
const KEY_ORDER: readonly KeyType[] = ["age", "pgp", "kms", "gcp_kms", "hckms", "azure_kv", "hc_vault"];

const TOP_LEVEL = ["creation_rules", "destination_rules", "stores"];
const RULE_FIELDS = [
  "path_regex",
  "key_groups",
  "shamir_threshold",
  "aws_profile",
  "mac_only_encrypted",
  "integrity",
  ...SELECTION_KINDS,
];

/**
 * Checks the shape of a configuration and brings it into one form.
 *
 * @param root - undefined for an empty file, which is one without rules
 * @throws {ConfigError} with file, line and column
 */
export function readConfig(root: Value | undefined, location: ConfigLocation, backends: readonly KeyBackend[]): Config {
  const context: SchemaContext = { reader: new ShapeReader(location.name), backends, warnings: [] };
  const { reader, warnings } = context;
  const members = reader.members(root, "a mapping with creation_rules");
  // Other names are common at the top level, as a place for anchors; only a typing error is worth a word.
  for (const [name, { position }] of members) {
    const meant = TOP_LEVEL.includes(name) ? undefined : closestName(name, TOP_LEVEL);
    if (meant !== undefined) warnUnknown(context, name, position, meant);
  }
  const rules = members.get("creation_rules")?.value;
  const destinations = members.get("destination_rules")?.value;
  return {
    location,
    creationRules: isPresent(rules)
      ? reader.list(rules, "creation rules").map((rule) => readCreationRule(rule, context))
      : undefined,
    destinationRules: reader.list(destinations, "destination rules").map((rule) => {
      const fields = reader.members(rule, "a destination rule");
      warnUnknownFields(context, fields, DESTINATION_FIELDS);
      return readDestinationRule(rule, fields, context, (recreation) => readCreationRule(recreation, context));
    }),
    stores: readStores(members.get("stores")?.value, reader),
    warnings,
  };
}

/** Reads a creation rule, or a recreation rule, which has the same fields. */
function readCreationRule(value: Value, context: SchemaContext): CreationRule {
  const { reader } = context;
  const members = reader.members(value, "a creation rule");
  warnUnknownFields(context, members, [...RULE_FIELDS, ...keyNames(context.backends, "rule")]);
  const valueOf = (name: string): Value | undefined => members.get(name)?.value;
  const patterns = SELECTION_KINDS.map((kind) => [kind, reader.text(valueOf(kind))] as const);
  return {
    file: reader.file,
    position: value.position,
    pathRegex: {
      text: reader.text(valueOf("path_regex")),
      position: valueOf("path_regex")?.position ?? value.position,
    },
    patterns: new Map(patterns.filter(([, pattern]) => pattern !== "")),
    flatKeys: keyLists(members, context.backends, "rule"),
    keyGroups: readGroups(valueOf("key_groups"), context),
    awsProfile: reader.text(valueOf("aws_profile")),
    shamirThreshold: reader.integer(valueOf("shamir_threshold")) ?? 0,
    macOnlyEncrypted: reader.boolean(valueOf("mac_only_encrypted")),
    integrity: reader.boolean(valueOf("integrity")),
  };
}

function warnUnknownFields(
  context: SchemaContext,
  members: ReadonlyMap<string, Member>,
  known: readonly string[],
): void {
  for (const [name, { position }] of members) {
    if (!known.includes(name)) warnUnknown(context, name, position, nearestName(name, known));
  }
}

function warnUnknown(
  { reader, warnings }: SchemaContext,
  name: string,
  position: ConfigPosition,
  meant: string | undefined,
): void {
  const question = meant === undefined ? "" : `; did you mean "${meant}"?`;
  warnings.push(
    `${describePlace(reader.file, position)}: ignoring the unknown field ${JSON.stringify(name)}${question}`,
  );
}

/** Reads the items of a key list: a string is a comma list, an item of a list may be a mapping. @throws {ConfigError} */
export function readKeyItems({ type, value }: FlatKeys, reader: ShapeReader): KeyItem[] {
  const items = value.kind === "list" ? reader.list(value, "keys") : [value];
  return items.flatMap((item): KeyItem[] => {
    const { position } = item;
    if (item.kind === "scalar") return splitList(item.text).map((text) => ({ type, item: text, position }));
    if (item.kind === "mapping" && value.kind === "list") return [{ type, item: plainMapping(item, reader), position }];
    throw shapeError(reader.file, position, "expected text, or a list of text or mappings");
  });
}

function plainMapping(value: Value, reader: ShapeReader): Record<string, unknown> {
  const members = [...reader.members(value, "a mapping")].filter(([, member]) => isPresent(member.value));
  const plain = members.map(([name, member]) => [
    name,
    member.value.kind === "mapping" ? plainMapping(member.value, reader) : reader.text(member.value),
  ]);
  return Object.fromEntries(plain) as Record<string, unknown>;
}

function readGroups(value: Value | undefined, context: SchemaContext): KeyItem[][] {
  const done = new Map<Value, KeyItem[]>();
  const readGroup = (group: Value): KeyItem[] => {
    const earlier = done.get(group);
    if (earlier !== undefined) return earlier;
    const members = context.reader.members(group, "a key group");
    warnUnknownFields(context, members, ["merge", ...keyNames(context.backends, "group")]);
    const merged = context.reader.list(members.get("merge")?.value, "key groups").flatMap(readGroup);
    const own = keyLists(members, context.backends, "group").flatMap((keys) => readKeyItems(keys, context.reader));
    // Aliases make it easy to merge one group many times over; its items are the same objects each time.
    const items = [...new Set([...merged, ...own])];
    done.set(group, items);
    return items;
  };
  return context.reader.list(value, "key groups").map(readGroup);
}

/** Every name of every key list in a rule or a group. */
function keyNames(backends: readonly KeyBackend[], where: "rule" | "group"): string[] {
  return backends.flatMap((backend) => spellings(backend, where));
}

function spellings({ names }: KeyBackend, where: "rule" | "group"): string[] {
  return where === "rule" ? [names.rule, ...(names.ruleAliases ?? [])] : [names.group, ...(names.groupAliases ?? [])];
}

function keyLists(
  members: ReadonlyMap<string, Member>,
  backends: readonly KeyBackend[],
  where: "rule" | "group",
): FlatKeys[] {
  return backends
    .toSorted((a, b) => KEY_ORDER.indexOf(a.type) - KEY_ORDER.indexOf(b.type))
    .flatMap((backend) =>
      spellings(backend, where).flatMap((name) => {
        const value = members.get(name)?.value;
        return isPresent(value) ? [{ type: backend.type, name, value }] : [];
      }),
    );
}

function readStores(value: Value | undefined, reader: ShapeReader): StoreSettings {
  const stores = reader.members(value, "a mapping of stores");
  const settingsOf = (store: string): ReadonlyMap<string, Member> =>
    reader.members(stores.get(store)?.value, "a mapping of settings");
  const indentOf = (store: string): number | undefined => reader.integer(settingsOf(store).get("indent")?.value);
  settingsOf("dotenv");
  settingsOf("ini");
  const yaml = indentOf("yaml");
  const json = indentOf("json");
  const jsonBinary = indentOf("json_binary");
  return {
    ...(yaml === undefined || yaml === 0 ? {} : { yaml }),
    ...(json === undefined ? {} : { json }),
    ...(jsonBinary === undefined ? {} : { jsonBinary }),
  };
}
