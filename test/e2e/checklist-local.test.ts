import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { Client, credentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { identityFile, R1 } from "../support/keys.ts";
import { sandbox, type RunResult, type Sandbox } from "../support/sandbox.ts";

/** Rows of the checklist that no transcript shows: what needs another process, a full disk or a port. */

const plain = "a: 1\nb: text\n";
const isUnix = process.platform !== "win32";

let box: Sandbox;

beforeEach(() => {
  box = sandbox({ "p.yaml": plain }, { SOPS_AGE_KEY_FILE: identityFile("age1") });
});

afterEach(() => {
  box.remove();
});

/** Whether a small file system of one's own can be mounted here. */
const canMount = isUnix && spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

describe.skipIf(!canMount)("on a full disk (needs unshare)", () => {
  it.each(["sops", "leafcrypt"])(
    "B-24 %s leaves the file as it was when the result cannot be written",
    async (name) => {
      const text = `b: ${"text ".repeat(2000)}\n`;
      box.write("p.yaml", text);
      expect(await box.sops("encrypt", "-i", "--age", R1, "p.yaml")).toMatchObject({ status: 0 });
      box.write("small/keep", "");
      const script = [
        "mount -t tmpfs -o size=24k none small && cp p.yaml small/e.yaml",
        "dd if=/dev/zero of=small/filler bs=1k count=64 2>/dev/null",
        `${name} decrypt -i small/e.yaml; echo "status $?"`,
        "cmp p.yaml small/e.yaml && ls -A small",
      ].join("; ");
      const { stdout } = await box.start(["unshare", "-rm", "sh", "-c", script]);
      expect(stdout).toMatch(/^status (?!0\n)\d+\ne\.yaml\nfiller\n$/u);
    },
  );
});

describe("age", () => {
  it("J-21 wraps in armour, with one stanza for each entry", async () => {
    const { stdout } = await box.sops("encrypt", "--age", R1, "p.yaml");
    const armour = /-----BEGIN AGE ENCRYPTED FILE-----\n(?<body>[^-]+)-----END AGE ENCRYPTED FILE-----/u.exec(stdout);
    const file = Buffer.from(armour?.groups?.["body"] ?? "", "base64").toString("latin1");
    expect(file.match(/^-> .*/gmu)).toEqual([expect.stringMatching(/^-> X25519 \S+$/u)]);
    expect(file.startsWith("age-encryption.org/v1\n")).toBe(true);
  });
});

/** Resolves when somebody listens. */
async function listening(target: { port: number } | { path: string }): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await canConnect(target)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("nobody listens");
}

function canConnect(target: { port: number } | { path: string }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host: "127.0.0.1", ...target });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => {
      resolve(false);
    });
  });
}

/** Runs a key service until a file called `stop` is written. */
function serve(signal: NodeJS.Signals, ...args: readonly string[]): Promise<RunResult> {
  return box.start(["sops", "keyservice", ...args], { signal: { name: signal, whenExists: "stop" } });
}

const isDefaultPortFree = await new Promise<boolean>((resolve) => {
  const probe = createServer();
  probe.on("error", () => {
    resolve(false);
  });
  probe.listen(5000, "127.0.0.1", () => {
    probe.close(() => {
      resolve(true);
    });
  });
});

describe.skipIf(!isUnix)("keyservice", () => {
  it.skipIf(!isDefaultPortFree)("K-07 listens on 127.0.0.1:5000 (needs the port)", async () => {
    const service = serve("SIGTERM");
    await listening({ port: 5000 });
    box.write("stop", "");
    expect(await service).toMatchObject({ status: 0, stdout: "" });
  });

  it.each(["SIGTERM", "SIGINT"] as const)("K-09 ends with status 0 on %s, without its socket", async (signal) => {
    const service = serve(signal, "--network", "unix", "--address", "s.sock");
    await listening({ path: join(box.dir, "s.sock") });
    box.write("stop", "");
    expect(await service).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(join(box.dir, "s.sock"))).toBe(false);
  });

  describe("asked by another client", () => {
    /** One field of a message: its number, and bytes. */
    const field = (number: number, bytes: Uint8Array): Buffer =>
      Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(bytes.length)]), bytes]);

    function varint(value: number): number[] {
      return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
    }

    /** The bytes of the first field of a message. */
    function firstField(message: Buffer): Buffer {
      let [position, length, shift] = [1, 0, 0];
      for (;;) {
        const byte = message[position] ?? 0;
        position += 1;
        length |= (byte & 127) << shift;
        shift += 7;
        if (byte < 128) return message.subarray(position, position + length);
      }
    }

    async function ask(
      work: (call: (method: string, request: Buffer) => Promise<Buffer>) => Promise<void>,
    ): Promise<void> {
      const service = serve("SIGTERM", "--network", "unix", "--address", "s.sock");
      const path = join(box.dir, "s.sock");
      await listening({ path });
      const client = new Client(`unix:${path}`, credentials.createInsecure());
      try {
        await work((method, request) => {
          const same = (bytes: Buffer): Buffer => bytes;
          return new Promise((resolve, reject) => {
            client.makeUnaryRequest(method, same, same, request, (error, response) => {
              if (error === null && response !== undefined) resolve(response);
              else reject(error ?? new Error("no answer"));
            });
          });
        });
      } finally {
        client.close();
        box.write("stop", "");
        await service;
      }
    }

    it("K-11 answers /KeyService/Encrypt and /KeyService/Decrypt with the fields of the protocol", async () => {
      await ask(async (call) => {
        const key = field(1, field(6, field(1, Buffer.from(R1))));
        const dataKey = Buffer.alloc(32, 7);
        const ciphertext = firstField(await call("/KeyService/Encrypt", Buffer.concat([key, field(2, dataKey)])));
        expect(ciphertext.toString()).toContain("-----BEGIN AGE ENCRYPTED FILE-----");
        const answer = await call("/KeyService/Decrypt", Buffer.concat([key, field(2, ciphertext)]));
        expect(firstField(answer)).toEqual(dataKey);
      });
    });

    it("K-12 says that a key is missing", async () => {
      await ask(async (call) => {
        const answer = call("/KeyService/Decrypt", Buffer.alloc(0));
        await expect(answer).rejects.toMatchObject({ code: status.NOT_FOUND, details: "Must provide a key" });
      });
    });
  });
});
