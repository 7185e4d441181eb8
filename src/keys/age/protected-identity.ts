import { scryptSync } from "node:crypto";

import { KeyError, messageOf } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { asBuffer } from "../../bytes/utf8.ts";
import { dearmor, isArmored } from "./armor.ts";
import { loadChaCha20Poly1305 } from "./chacha20-poly1305.ts";
import { decryptFile, type Identity } from "./file.ts";
import { decodeUnpadded, FILE_KEY_LENGTH, parseHeader } from "./header.ts";
import { parseIdentityList } from "./identity-file.ts";

const WRONG_PASSPHRASE = "incorrect passphrase";
const STANZA_TYPE = "scrypt";
const SALT_LABEL = "age-encryption.org/v1/scrypt";
const SALT_LENGTH = 16;
const TAG_LENGTH = 16;
const ZERO_NONCE = Buffer.alloc(12);
/** The reference's limit: 4 GiB of memory and some seconds. */
const MAX_WORK_FACTOR = 22;

/** An identity file under a passphrase, which is asked for, once, when no identity before it fits. */
export function protectedIdentity(content: Uint8Array, location: string): Identity {
  let opened: Promise<readonly Identity[]> | undefined;
  return {
    async unwrap(header, host) {
      opened ??= openIdentityFile(content, location, host);
      for (const identity of await opened) {
        const fileKey = await identity.unwrap(header, host);
        if (fileKey !== null) return fileKey;
      }
      return null;
    },
  };
}

async function openIdentityFile(content: Uint8Array, location: string, host: Host): Promise<readonly Identity[]> {
  try {
    const text = asBuffer(content).toString("latin1");
    const file = isArmored(text) ? dearmor(text) : content;
    parseHeader(file); // nobody is asked for the passphrase of a broken file
    const passphrase = await askPassphrase(location, host);
    const plaintext = await decryptFile(file, [passphraseIdentity(passphrase)], host);
    const { identities, problem } = parseIdentityList(asBuffer(plaintext).toString("utf8"));
    plaintext.fill(0);
    if (problem !== undefined) throw new KeyError(problem);
    return identities;
  } catch (error) {
    const message = messageOf(error);
    throw new KeyError(message === WRONG_PASSPHRASE ? message : `failed to decrypt identity file: ${message}`, {
      cause: error,
    });
  }
}

function askPassphrase(location: string, host: Host): Promise<string> {
  return host.askPassphrase(`Enter passphrase for identity '${location}': `).catch((error: unknown) => {
    throw new KeyError(`could not read passphrase: ${messageOf(error)}`, { cause: error });
  });
}

/** Opens files encrypted with a passphrase. A wrong one is an error: such a file has no other recipient. */
export function passphraseIdentity(passphrase: string): Identity {
  return {
    async unwrap({ stanzas }) {
      const [stanza] = stanzas;
      if (!stanzas.some(({ args }) => args[0] === STANZA_TYPE)) return null;
      if (stanza === undefined || stanzas.length > 1) throw new KeyError("an scrypt recipient must be the only one");
      const [, saltText, workFactorText = ""] = stanza.args;
      const salt = decodeUnpadded(saltText);
      const workFactor = /^[1-9][0-9]*$/.test(workFactorText) ? Number(workFactorText) : 0;
      if (stanza.args.length !== 3 || salt?.length !== SALT_LENGTH || workFactor === 0) {
        throw new KeyError("invalid scrypt recipient block");
      }
      if (stanza.body.length !== FILE_KEY_LENGTH + TAG_LENGTH) throw new KeyError("invalid scrypt recipient block");
      if (workFactor > MAX_WORK_FACTOR) throw new KeyError(`scrypt work factor too large: ${workFactorText}`);
      const cipher = await loadChaCha20Poly1305();
      const key = scrypt(passphrase, salt, workFactor);
      const fileKey = cipher.open(key, ZERO_NONCE, stanza.body);
      key.fill(0);
      if (fileKey === null) throw new KeyError(WRONG_PASSPHRASE);
      return fileKey;
    },
  };
}

function scrypt(passphrase: string, salt: Uint8Array, workFactor: number): Buffer {
  const cost = 2 ** workFactor;
  const blockSize = 8;
  return scryptSync(passphrase, Buffer.concat([Buffer.from(SALT_LABEL), salt]), 32, {
    cost,
    blockSize,
    parallelization: 1,
    maxmem: 256 * cost * blockSize, // twice what is needed
  });
}
