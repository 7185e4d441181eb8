import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KeyError } from "../../../../src/errors.ts";
import type { KeyBackend, MasterKey } from "../../../../src/keys/backend.ts";
import { textOf } from "../../../../src/keys/fields.ts";
import { type RunningKeyService, startKeyService } from "../../../../src/keys/service/server.ts";
import { type KeyService, remoteKeyService } from "../../../../src/keys/service/service.ts";
import { hostWith } from "../../../servers/support/host.ts";

/** A key that turns bytes around; `refusing` fails as a backend does. */
function mirrorKey(recipient: string): MasterKey {
  const turn = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).reverse();
  return {
    type: "age",
    id: recipient,
    wrap: (part) =>
      recipient === "refusing"
        ? Promise.reject(new KeyError("this key refuses"))
        : Promise.resolve(Buffer.from(turn(part)).toString("base64")),
    unwrap: (enc) =>
      recipient === "leaking"
        ? Promise.reject(new Error(`secret ${enc}`))
        : Promise.resolve(turn(Buffer.from(enc, "base64"))),
    toRecord: () => ({ recipient }),
  };
}

const mirrors: KeyBackend = {
  type: "age",
  title: "mirror",
  names: { rule: "age", group: "age", flag: "age", env: "X" },
  dated: false,
  parse: (text) => [mirrorKey(text)],
  fromGroupEntry: () => [],
  fromRecord: (record) => mirrorKey(textOf(record, "recipient")),
};

const PART = Buffer.from("0123456789abcdef0123456789abcdef");
const host = hostWith({ LEAFCRYPT_TIMEOUT: "2" });

let folder = "";
let service: RunningKeyService | undefined;
let client: KeyService | undefined;
let blocker: Server | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "leafcrypt-ks-"));
});
afterEach(async () => {
  client?.close?.();
  await service?.stop();
  blocker?.close();
  client = service = blocker = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function serve(options: Partial<Parameters<typeof startKeyService>[0]> = {}): Promise<KeyService> {
  service = await startKeyService({ network: "tcp", address: "127.0.0.1:0", backends: [mirrors], host, ...options });
  const scheme = options.network ?? "tcp";
  client = remoteKeyService(`${scheme}://${service.address}`, host);
  return client;
}

describe.each([{ network: "tcp" }, { network: "unix" }] as const)("key service over $network", ({ network }) => {
  it("wraps and unwraps for the client", async () => {
    const remote = await serve(network === "unix" ? { network, address: join(folder, "s.sock") } : {});
    const enc = await remote.wrap(mirrorKey("r"), PART);
    expect(enc).toBe(Buffer.from(PART).reverse().toString("base64"));
    expect(Buffer.from(await remote.unwrap(mirrorKey("r"), enc))).toEqual(Buffer.from(PART));
  });
});

describe("key service", () => {
  it("passes on why a key failed", async () => {
    const remote = await serve();
    await expect(remote.wrap(mirrorKey("refusing"), PART)).rejects.toThrow(
      /^rpc error: code = Unknown desc = this key refuses$/,
    );
  });

  it("keeps the text of a failure that is none of ours to itself", async () => {
    const remote = await serve();
    await expect(remote.unwrap(mirrorKey("leaking"), "c2VjcmV0")).rejects.toThrow(/desc = unexpected failure$/);
  });

  it("asks before the key is used, and takes no for an answer", async () => {
    const questions: string[] = [];
    const used: string[] = [];
    const backend: KeyBackend = {
      ...mirrors,
      fromRecord: (record) => {
        const key = mirrors.fromRecord(record);
        return { ...key, wrap: (part, through) => (used.push("wrap"), key.wrap(part, through)) };
      },
    };
    const approve = (verb: string, key: string): Promise<boolean> => {
      questions.push(`${verb} ${key}`);
      return Promise.resolve(false);
    };
    const remote = await serve({ backends: [backend], approve });
    await expect(remote.wrap(mirrorKey("r"), PART)).rejects.toThrow(/PermissionDenied desc = Request rejected by user/);
    expect(questions).toEqual(["encrypt age key with recipient r"]);
    expect(used).toEqual([]);
  });

  it("asks one question at a time", async () => {
    let open = 0;
    let most = 0;
    const approve = async (): Promise<boolean> => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 20));
      open--;
      return true;
    };
    const remote = await serve({ approve });
    await Promise.all([1, 2, 3].map(() => remote.wrap(mirrorKey("r"), PART)));
    expect(most).toBe(1);
  });

  it("names a type it has no backend for", async () => {
    const remote = await serve({ backends: [] });
    await expect(remote.wrap(mirrorKey("r"), PART)).rejects.toThrow(/has no keys of type age/);
  });

  it("does not wait for a server that is not there, nor for one that is silent", async () => {
    client = remoteKeyService(`unix://${join(folder, "none.sock")}`, host);
    await expect(client.unwrap(mirrorKey("r"), "eA==")).rejects.toThrow(
      /code = Unavailable; no key service answers at its address$/,
    );
    client.close?.();
    blocker = createServer();
    await new Promise<void>((resolve) => blocker?.listen(join(folder, "silent.sock"), resolve));
    client = remoteKeyService(`unix://${join(folder, "silent.sock")}`, hostWith({ LEAFCRYPT_TIMEOUT: "0.3" }));
    await expect(client.unwrap(mirrorKey("r"), "eA==")).rejects.toThrow(/DeadlineExceeded|no answer within/);
  });
});

describe("key service socket", () => {
  const start = (path: string): Promise<KeyService> => serve({ network: "unix", address: path });

  it("can be opened by its owner only, and goes when the service stops", async () => {
    const path = join(folder, "s.sock");
    await start(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await service?.stop();
    expect(existsSync(path)).toBe(false);
  });

  it("replaces a socket nobody listens on", async () => {
    const path = join(folder, "s.sock");
    const { execFileSync } = await import("node:child_process");
    const leave = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    expect(() => execFileSync(process.execPath, ["-e", leave], { stdio: "ignore" })).toThrow();
    expect(existsSync(path)).toBe(true);
    const remote = await start(path);
    expect(await remote.wrap(mirrorKey("r"), PART)).not.toBe("");
  });

  it("leaves a socket somebody listens on, and a file", async () => {
    const path = join(folder, "s.sock");
    blocker = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => blocker?.listen(path, resolve));
    await expect(start(path)).rejects.toThrow(/address already in use/);
    const file = join(folder, "file");
    writeFileSync(file, "kept");
    await expect(start(file)).rejects.toThrow(/no socket/);
    expect(existsSync(file)).toBe(true);
  });

  it("says when a port is taken", async () => {
    await serve();
    const address = service?.address ?? "";
    await expect(startKeyService({ network: "tcp", address, backends: [], host })).rejects.toThrow(
      `listen tcp ${address}: bind: address already in use`,
    );
  });
});
