import type * as OpenPgp from "openpgp";
import { KeyError, SopsError } from "../errors.ts";
import type { Host } from "../host.ts";
import { loadOptional } from "./call.ts";
import { printable } from "./fields.ts";

/** Data keys have 32 or 33 bytes; a message that unpacks to much more is none of ours. */
const MAX_DATA_KEY = 1024;

/** The key id of a message that does not say whom it is for. */
const ANY_KEY = "0000000000000000";

/**
 * Wraps a data key for a key of the exported rings; `gpg --export` writes such a ring.
 *
 * @param fingerprint - 16, 40 or 64 hex digits; with `!` at its end only that very subkey is used
 * @returns an armored message without a line break at its end
 * @throws {KeyError} if no ring has the key, or it cannot encrypt
 */
export async function encryptWithKeyring(fingerprint: string, part: Uint8Array, host: Host): Promise<string> {
  const openpgp = await loadOpenPgp();
  const wanted = fingerprint.toLowerCase().replace(/^0x/, "");
  const digits = wanted.replace("!", "");
  const keys = await readRings(openpgp, ["pubring.gpg", "secring.gpg"], host);
  const key = keys.find((candidate) => candidate.getKeys().some((subkey) => subkey.getFingerprint().endsWith(digits)));
  if (key === undefined) throw new KeyError(`no key ring has the key ${printable(fingerprint)}`);
  const exact = key.getKeys().find((subkey) => subkey.getFingerprint().endsWith(digits));
  return await ownErrors("the key cannot encrypt", async () => {
    const armored = (await openpgp.encrypt({
      message: await openpgp.createMessage({ binary: part, date: host.now() }),
      encryptionKeys: key.toPublic(),
      ...(wanted.endsWith("!") && exact !== undefined ? { encryptionKeyIDs: [exact.getKeyID()] } : {}),
      date: host.now(),
    })) as string; // its declared type needs the DOM's streams
    return armored.replaceAll("\r\n", "\n").trimEnd();
  });
}

/**
 * Unwraps a data key with a secret key of the exported rings; asks for a passphrase when the key that fits has one.
 *
 * @throws {KeyError} if no ring has a fitting key, or the message was changed
 */
export async function decryptWithKeyring(enc: string, host: Host): Promise<Uint8Array> {
  const openpgp = await loadOpenPgp();
  const keys = await readRings(openpgp, ["secring.gpg", "pubring.gpg"], host);
  const message = await ownErrors("no PGP message", () => openpgp.readMessage({ armoredMessage: enc }));
  const ids = message.getEncryptionKeyIDs();
  const fitting = keys.filter(
    (key): key is OpenPgp.PrivateKey =>
      key.isPrivate() && ids.some((id) => id.toHex() === ANY_KEY || key.getKeys(id).length > 0),
  );
  if (fitting.length === 0) throw new KeyError("no key ring has the secret key");
  const decryptionKeys = await Promise.all(fitting.map((key) => unlock(openpgp, key, host)));
  const { data } = (await ownErrors("the message does not decrypt", () =>
    openpgp.decrypt({
      message,
      decryptionKeys,
      format: "binary",
      date: host.now(),
      config: { maxDecompressedMessageSize: MAX_DATA_KEY },
    }),
  )) as { readonly data: Uint8Array };
  if (data.length === 0 || data.length > MAX_DATA_KEY) throw new KeyError("the message holds no data key");
  return data;
}

function loadOpenPgp(): Promise<typeof OpenPgp> {
  return loadOptional("openpgp", () => import("openpgp"));
}

/** Reads the rings that exist, binary or armored. @throws {KeyError} if there is none */
async function readRings(openpgp: typeof OpenPgp, names: readonly string[], host: Host): Promise<OpenPgp.Key[]> {
  const home = gnupgHome(host);
  const rings = names.map((name) => host.readFile(`${home}/${name}`)).filter((ring) => ring !== null);
  if (rings.length === 0) throw new KeyError(`there is neither ${names.join(" nor ")} in ${printable(home)}`);
  const keys = await Promise.all(
    rings.map((ring) =>
      ownErrors("a key ring cannot be read", () =>
        Buffer.from(ring).subarray(0, 5).toString("latin1") === "-----"
          ? openpgp.readKeys({ armoredKeys: Buffer.from(ring).toString("utf8") })
          : openpgp.readKeys({ binaryKeys: ring }),
      ),
    ),
  );
  return keys.flat();
}

function gnupgHome(host: Host): string {
  const home = host.env["GNUPGHOME"] ?? "";
  return home === "" ? `${host.env["HOME"] ?? host.env["USERPROFILE"] ?? ""}/.gnupg` : home;
}

async function unlock(openpgp: typeof OpenPgp, key: OpenPgp.PrivateKey, host: Host): Promise<OpenPgp.PrivateKey> {
  if (key.isDecrypted()) return key;
  const passphrase = await host.askPassphrase(
    `Enter the passphrase of the PGP key ${key.getFingerprint().toUpperCase()}: `,
  );
  return await ownErrors("wrong passphrase", () => openpgp.decryptKey({ privateKey: key, passphrase }));
}

/** The package's messages may quote what it read. */
async function ownErrors<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SopsError) throw error;
    throw new KeyError(message);
  }
}
