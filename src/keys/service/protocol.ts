import { KeyError } from "../../errors.ts";
import type { KeyRecord, KeyType } from "../backend.ts";
import { type Field, readFields, writeFields } from "./wire.ts";

/** Full names of the methods; the service has no package. */
export const METHODS = { encrypt: "/KeyService/Encrypt", decrypt: "/KeyService/Decrypt" } as const;

/** A key in a request: what its metadata entry has, without `enc` and `created_at`. */
export interface ServiceKey {
  readonly type: KeyType;
  readonly record: KeyRecord;
}

/** EncryptRequest (`content` is the data key or share) or DecryptRequest (`content` is the text of `enc`). */
export interface ServiceRequest {
  /** Null when the request names none; `unknown` for a kind that this version does not know. */
  readonly key: ServiceKey | "unknown" | null;
  readonly content: Uint8Array;
}

/** How the kinds of keys are written: number in `Key`, then the number of each of their fields. */
interface KeyShape {
  readonly number: number;
  readonly type: KeyType;
  readonly fields: Readonly<Record<string, number>>;
  /** Fields that are mappings of texts, and those that a metadata entry leaves out when empty. */
  readonly mappings?: readonly string[];
  readonly optional?: readonly string[];
}

/** @see cli-behaviour.md 8 */
const KEY_SHAPES: readonly KeyShape[] = [
  {
    number: 1,
    type: "kms",
    fields: { arn: 1, role: 2, context: 3, aws_profile: 4 },
    mappings: ["context"],
    optional: ["role", "context"],
  },
  { number: 2, type: "pgp", fields: { fp: 1 } },
  { number: 3, type: "gcp_kms", fields: { resource_id: 1 } },
  { number: 4, type: "azure_kv", fields: { vault_url: 1, name: 2, version: 3 } },
  { number: 5, type: "hc_vault", fields: { vault_address: 1, engine_path: 2, key_name: 3 } },
  { number: 6, type: "age", fields: { recipient: 1 } },
  { number: 7, type: "hckms", fields: { key_id: 1 } },
];

const KEY = 1;
const CONTENT = 2;
const ANSWER = 1;
const MAP_KEY = 1;
const MAP_VALUE = 2;

/** @throws {KeyError} for a key type of a backend from outside, which the protocol has no message for */
export function encodeRequest({ type, record }: ServiceKey, content: Uint8Array): Buffer {
  const shape = KEY_SHAPES.find((candidate) => candidate.type === type);
  if (shape === undefined) throw new KeyError(`the key service protocol has no keys of type ${type}`);
  const fields = Object.entries(shape.fields).flatMap(([name, number]) => encodeField(number, record[name]));
  return writeFields([[KEY, writeFields([[shape.number, writeFields(fields)]])], ...filled(CONTENT, content)]);
}

/** @throws {RangeError} if the bytes are no such message */
export function decodeRequest(message: Uint8Array): ServiceRequest {
  const fields = readFields(message);
  const key = lastOf(fields, KEY);
  return { key: key === undefined ? null : decodeKey(key), content: lastOf(fields, CONTENT) ?? new Uint8Array() };
}

/** EncryptResponse and DecryptResponse have one field each, at the same place. */
export function encodeResponse(content: Uint8Array): Buffer {
  return writeFields(filled(ANSWER, content));
}

/** @throws {RangeError} if the bytes are no such message */
export function decodeResponse(message: Uint8Array): Uint8Array {
  return lastOf(readFields(message), ANSWER) ?? new Uint8Array();
}

function encodeField(number: number, value: KeyRecord[string] | undefined): Field[] {
  if (value === undefined) return [];
  if (typeof value === "string") return filled(number, Buffer.from(value));
  return Object.entries(value).map(([name, text]) => [
    number,
    writeFields([
      [MAP_KEY, Buffer.from(name)],
      [MAP_VALUE, Buffer.from(text)],
    ]),
  ]);
}

/** Proto3 leaves out what is empty. */
function filled(number: number, bytes: Uint8Array): Field[] {
  return bytes.length === 0 ? [] : [[number, bytes]];
}

function decodeKey(message: Uint8Array): ServiceRequest["key"] {
  const chosen = readFields(message).at(-1);
  if (chosen === undefined) return null;
  const shape = KEY_SHAPES.find((candidate) => candidate.number === chosen[0]);
  return shape === undefined ? "unknown" : { type: shape.type, record: decodeRecord(shape, readFields(chosen[1])) };
}

function decodeRecord(shape: KeyShape, fields: readonly Field[]): KeyRecord {
  const members = Object.entries(shape.fields).flatMap(([name, number]): [string, KeyRecord[string]][] => {
    const isMapping = shape.mappings?.includes(name) ?? false;
    const value = isMapping ? decodeMapping(fields, number) : textOf(lastOf(fields, number));
    const isEmpty = Object.keys(value).length === 0;
    return isEmpty && (shape.optional?.includes(name) ?? false) ? [] : [[name, value]];
  });
  return Object.fromEntries(members);
}

function decodeMapping(fields: readonly Field[], number: number): Readonly<Record<string, string>> {
  const entries = fields
    .filter(([candidate]) => candidate === number)
    .map(([, bytes]) => {
      const pair = readFields(bytes);
      return [textOf(lastOf(pair, MAP_KEY)), textOf(lastOf(pair, MAP_VALUE))] as const;
    });
  return Object.fromEntries(entries);
}

/** Of a field that stands more than once the last one counts. */
function lastOf(fields: readonly Field[], number: number): Uint8Array | undefined {
  return fields.findLast(([candidate]) => candidate === number)?.[1];
}

function textOf(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString("utf8");
}
