import { ConfigError } from "../errors.ts";
import { matchesAny, ruleSubject } from "./rules.ts";
import type { Config, CreationRule, LocatedText, SchemaContext } from "./schema.ts";
import { describePlace, isPresent, type Member, type Value } from "./value.ts";

/** Where a published file goes (cli-behaviour.md 4.7). */
export type Destination =
  /** S3 or Google Cloud Storage; the object's name is the prefix with the file's name, nothing between. */
  | { readonly kind: "s3" | "gcs"; readonly bucket: string; readonly prefix: string }
  /** Vault's key-value store; `path` and `mount` end in `/`, `address` is empty for that of the environment. */
  | {
      readonly kind: "vault";
      readonly address: string;
      readonly mount: string;
      readonly path: string;
      readonly version: 1 | 2;
    };

/** One rule: where files of certain names are published, and how. */
export interface DestinationRule {
  readonly pathRegex: LocatedText;
  /** More than one, or none, is an error once the rule is used. */
  readonly destinations: readonly Destination[];
  /** How files are encrypted anew before they go to S3 or GCS; undefined to send them as they are. */
  readonly recreationRule: CreationRule | undefined;
  readonly omitExtensions: boolean;
  readonly place: string;
}

/** A destination rule with its one destination. */
export interface Publication {
  readonly rule: DestinationRule;
  readonly destination: Destination;
}

/** Fields of a destination rule. */
export const DESTINATION_FIELDS: readonly string[] = [
  "path_regex",
  "s3_bucket",
  "s3_prefix",
  "gcs_bucket",
  "gcs_prefix",
  "vault_path",
  "vault_address",
  "vault_kv_mount_name",
  "vault_kv_version",
  "recreation_rule",
  "omit_extensions",
];

/** Reads the fields of a destination rule. @throws {ConfigError} */
export function readDestinationRule(
  value: Value,
  members: ReadonlyMap<string, Member>,
  { reader }: SchemaContext,
  readRule: (value: Value) => CreationRule,
): DestinationRule {
  const valueOf = (name: string): Value | undefined => members.get(name)?.value;
  const textOf = (name: string): string => reader.text(valueOf(name));
  const version = reader.integer(valueOf("vault_kv_version"));
  const candidates: readonly Destination[] = [
    { kind: "s3", bucket: textOf("s3_bucket"), prefix: textOf("s3_prefix") },
    { kind: "gcs", bucket: textOf("gcs_bucket"), prefix: textOf("gcs_prefix") },
    {
      kind: "vault",
      address: textOf("vault_address"),
      mount: withSlash(textOf("vault_kv_mount_name") || "secret"),
      path: withSlash(textOf("vault_path")),
      version: version === 1 ? 1 : 2,
    },
  ];
  const recreation = valueOf("recreation_rule");
  return {
    pathRegex: { text: textOf("path_regex"), position: valueOf("path_regex")?.position ?? value.position },
    destinations: candidates.filter(
      (candidate) => (candidate.kind === "vault" ? candidate.path : candidate.bucket) !== "",
    ),
    recreationRule: isPresent(recreation) ? readRule(recreation) : undefined,
    omitExtensions: reader.boolean(valueOf("omit_extensions")),
    place: describePlace(reader.file, value.position),
  };
}

function withSlash(text: string): string {
  return text === "" || text.endsWith("/") ? text : `${text}/`;
}

/**
 * The destination of a file: that of the first rule whose pattern matches its path relative to the configuration, or
 * else as it was given (I-27).
 *
 * @param filePath - absolute
 * @param givenPath - as on the command line
 * @throws {ConfigError} if no rule matches, its pattern is not one of RE2, or it does not have exactly one destination
 */
export async function matchDestination(config: Config, filePath: string, givenPath: string): Promise<Publication> {
  const subjects = [ruleSubject(config.location.path, filePath), givenPath];
  for (const rule of config.destinationRules) {
    if (await matchesAny(rule.pathRegex, config.location.name, subjects)) return { rule, destination: onlyOne(rule) };
  }
  throw new ConfigError("error loading config: no matching destination found in config");
}

function onlyOne(rule: DestinationRule): Destination {
  const [destination, ...others] = rule.destinations;
  const hint = `the rule stands at ${rule.place}`;
  if (destination === undefined) throw new ConfigError("no destination configured for this file", { hint });
  if (others.length === 0) return destination;
  throw new ConfigError(
    "error loading config: more than one destinations were found in a single destination rule, you can only use one per rule",
    { hint },
  );
}
