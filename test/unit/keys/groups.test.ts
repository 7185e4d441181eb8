import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { KeyType, MasterKey } from "../../../src/keys/backend.ts";
import {
  DataKeyError,
  recoverDataKey,
  storedThreshold,
  wrapDataKey,
  type RecoverOptions,
} from "../../../src/keys/groups.ts";
import type { KeyService } from "../../../src/keys/service/service.ts";
import { sharingKeyService } from "../../../src/keys/service/sharing.ts";
import type { WrappedKey } from "../../../src/keys/wrapped-key.ts";
import { KeyError } from "../../../src/errors.ts";

const DATA_KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

/** A key that "wraps" by writing down the bytes; those called `broken` fail. */
function key(id: string, type: KeyType = "age"): MasterKey {
  return {
    type,
    id,
    wrap: (part) =>
      id.startsWith("broken")
        ? Promise.reject(new KeyError(`${id} is broken`))
        : Promise.resolve(Buffer.from(part).toString("hex")),
    unwrap: (enc) =>
      id.startsWith("broken")
        ? Promise.reject(new KeyError(`${id} is broken`))
        : Promise.resolve(Uint8Array.from(Buffer.from(enc, "hex"))),
    toRecord: () => ({ recipient: id }),
  };
}

function service(calls: string[] = []): KeyService {
  const host = {} as never;
  return {
    wrap: (master, part) => master.wrap(part, host),
    unwrap: (master, enc) => {
      calls.push(master.id);
      return master.unwrap(enc, host);
    },
  };
}

interface PromiseWithResolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

function deferred<T>(): PromiseWithResolvers<T> {
  let settle!: Omit<PromiseWithResolvers<T>, "promise">;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

const wrapOptions = {
  services: [service()],
  backends: [],
  randomBytes: (size: number) => randomBytes(size),
  createdAt: "now",
};

function wrap(groups: readonly (readonly MasterKey[])[], threshold = 0): Promise<WrappedKey[][]> {
  return wrapDataKey(groups, DATA_KEY, { ...wrapOptions, threshold });
}

function recover(
  groups: readonly (readonly WrappedKey[])[],
  options: Partial<RecoverOptions> = {},
): Promise<Uint8Array> {
  const isRight = (bytes: Uint8Array): boolean => Buffer.from(bytes).equals(DATA_KEY);
  return recoverDataKey(groups, { threshold: 0, order: ["age", "pgp"], services: [service()], isRight, ...options });
}

describe("wrapping for groups", () => {
  it("wraps the data key itself for every key of one group", async () => {
    const [group] = await wrap([[key("a"), key("b")]]);
    expect(group?.map(({ enc }) => enc)).toEqual([
      Buffer.from(DATA_KEY).toString("hex"),
      Buffer.from(DATA_KEY).toString("hex"),
    ]);
  });

  it("wraps a share of 33 bytes for each of several groups", async () => {
    const groups = await wrap([[key("a")], [key("b"), key("c")]]);
    expect(groups.flat().map(({ enc }) => enc.length)).toEqual([66, 66, 66]);
    expect(groups[1]?.[0]?.enc).toBe(groups[1]?.[1]?.enc);
    expect(groups[0]?.[0]?.enc).not.toBe(groups[1]?.[0]?.enc);
  });

  it.each([
    { name: "no group", groups: [], message: /no key groups provided/ },
    { name: "an empty group", groups: [[key("a")], []], message: /empty key group provided/ },
    { name: "a key that fails", groups: [[key("a"), key("broken")]], message: /"broken": broken is broken/ },
    { name: "two that fail, both named", groups: [[key("broken1"), key("broken2")]], message: /broken1.*broken2/ },
    {
      name: "a threshold of 1",
      groups: [[key("a")], [key("b")]],
      threshold: 1,
      message: /threshold must be at least 2/,
    },
    {
      name: "a threshold above the groups",
      groups: [[key("a")], [key("b")]],
      threshold: 3,
      message: /parts cannot be less than threshold/,
    },
  ])("refuses $name", async ({ groups, threshold, message }) => {
    const failure = wrap(groups, threshold);
    await expect(failure).rejects.toMatchObject({ code: "ERR_WRAP" });
    await expect(failure).rejects.toThrow(message);
  });

  it("needs a service", async () => {
    await expect(wrapDataKey([[key("a")]], DATA_KEY, { ...wrapOptions, services: [], threshold: 0 })).rejects.toThrow(
      /no key services provided/,
    );
  });

  it.each([
    [0, 1, 0],
    [0, 3, 3],
    [2, 3, 2],
    [5, 1, 5],
  ])("stores a threshold (%i for %i groups: %i)", (threshold, groups, stored) => {
    expect(storedThreshold(threshold, groups)).toBe(stored);
  });
});

describe("what was wrapped is unwrapped again (P30)", () => {
  /** A key whose server wraps something else than it is given. */
  const mistaken = (type: KeyType): MasterKey => ({
    ...key("mistaken", type),
    wrap: () => Promise.resolve("00".repeat(32)),
  });
  const blind: KeyService = { ...service(), unwrap: () => Promise.reject(new KeyError("access denied")) };

  it("and refused where it is something else", async () => {
    const failure = wrap([[key("good", "kms"), mistaken("kms")]]);
    await expect(failure).rejects.toMatchObject({ code: "ERR_WRAP" });
    await expect(failure).rejects.toThrow(/"mistaken": what it gave does not decrypt to the data key/);
    await expect(failure).rejects.not.toThrow(/good/);
  });

  it("share by share", async () => {
    await expect(wrap([[key("a", "gcp_kms")], [mistaken("hc_vault")]])).rejects.toThrow(/does not decrypt/);
    expect(await wrap([[key("a", "gcp_kms")], [key("b", "hc_vault")]])).toHaveLength(2);
  });

  it("unless the server does not let us", async () => {
    const wrapped = await wrapDataKey([[mistaken("kms")]], DATA_KEY, {
      ...wrapOptions,
      services: [blind],
      threshold: 0,
    });
    expect(wrapped.flat()).toHaveLength(1);
  });

  it.each([
    { name: "on this machine, where it may need a passphrase", type: "pgp", mayAsk: false },
    { name: "by a service that may ask somebody", type: "kms", mayAsk: true },
  ] as const)("but nothing that was wrapped $name", async ({ type, mayAsk }) => {
    const calls: string[] = [];
    const services = [{ ...service(calls), mayAsk }];
    await wrapDataKey([[key("a", type)]], DATA_KEY, { ...wrapOptions, services, threshold: 0 });
    expect(calls).toEqual([]);
  });
});

describe("a silent key (P28)", () => {
  /** Keys by name that answer when they are told to, and who was asked. */
  function answers(): KeyService & {
    asked: string[];
    give(id: string, bytes: Uint8Array): Promise<void>;
    deny(id: string): Promise<void>;
  } {
    const asked: string[] = [];
    const waiting = new Map<string, PromiseWithResolvers<Uint8Array>>();
    const of = (id: string): PromiseWithResolvers<Uint8Array> => {
      const promise = waiting.get(id) ?? deferred();
      waiting.set(id, promise);
      return promise;
    };
    return {
      asked,
      wrap: () => Promise.reject(new KeyError("not asked for")),
      unwrap: (master) => {
        asked.push(master.id);
        return of(master.id).promise;
      },
      give: async (id, bytes) => {
        of(id).resolve(bytes);
        await pause();
      },
      deny: async (id) => {
        of(id).reject(new KeyError(`${id} denies`));
        await pause();
      },
    };
  }
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 25));
  const wrapped = (id: string, type: KeyType): WrappedKey => ({ key: key(id, type), enc: id });

  it("of a server does not hold up those after it, and nobody is asked any more once one has answered", async () => {
    const service = answers();
    const group = [wrapped("silent", "kms"), wrapped("second", "kms"), wrapped("third", "kms")];
    const recovered = recover([group], { services: [service], patience: 5 });
    await service.give("second", Uint8Array.from(DATA_KEY));
    expect(await recovered).toEqual(DATA_KEY);
    await pause();
    expect(service.asked).toEqual(["silent", "second"]);
  });

  it("of this machine is waited for: somebody may be typing", async () => {
    const service = answers();
    const recovered = recover([[wrapped("card", "pgp"), wrapped("cloud", "kms")]], {
      services: [service],
      patience: 1,
    });
    await pause();
    expect(service.asked).toEqual(["card"]);
    await service.deny("card");
    expect(service.asked).toEqual(["card", "cloud"]);
    await service.give("cloud", Uint8Array.from(DATA_KEY));
    expect(await recovered).toEqual(DATA_KEY);
  });

  it("may still be the one that answers, and what comes too late is overwritten", async () => {
    const service = answers();
    const recovered = recover([[wrapped("slow", "kms"), wrapped("slower", "kms")]], {
      services: [service],
      patience: 1,
    });
    await pause();
    await service.give("slow", Uint8Array.from(DATA_KEY));
    expect(await recovered).toEqual(DATA_KEY);
    const late = Uint8Array.from(DATA_KEY);
    await service.give("slower", late);
    expect(late).toEqual(new Uint8Array(32));
  });

  it("and all others are reported in the order of the file, whichever failed first", async () => {
    const service = answers();
    const failure = recover([[wrapped("a", "kms"), wrapped("b", "kms")]], { services: [service], patience: 1 });
    const report = expect(failure).rejects.toMatchObject({
      groups: [{ attempts: [{ failures: ["a denies"] }, { failures: ["b denies"] }] }],
    });
    await pause();
    await service.deny("b");
    await service.deny("a");
    await report;
  });
});

describe("recovering the data key", () => {
  it("takes the first key that answers, by type, and asks no other", async () => {
    const [group = []] = await wrap([[key("cloud", "kms"), key("mine", "age"), key("card", "pgp")]]);
    const calls: string[] = [];
    expect(await recover([group], { services: [service(calls)] })).toEqual(DATA_KEY);
    expect(calls).toEqual(["mine"]);
  });

  it("follows the order it is given", async () => {
    const [group = []] = await wrap([[key("mine", "age"), key("cloud", "kms")]]);
    const calls: string[] = [];
    await recover([group], { services: [service(calls)], order: ["kms"] });
    expect(calls).toEqual(["cloud"]);
  });

  it("goes on past keys that fail, and reports them if none answers", async () => {
    const [group = []] = await wrap([[key("a"), key("b")]]);
    const broken = { key: key("broken"), enc: "" };
    expect(await recover([[broken, ...group]])).toEqual(DATA_KEY);
    const failure = recover([[broken, { key: key("broken too", "pgp"), enc: "" }]]);
    await expect(failure).rejects.toBeInstanceOf(DataKeyError);
    await expect(failure).rejects.toMatchObject({
      code: "ERR_DATA_KEY",
      groups: [
        { isRecovered: false, attempts: [{ failures: ["broken is broken"] }, { failures: ["broken too is broken"] }] },
      ],
    });
  });

  it("I-40 stops as soon as the threshold is met", async () => {
    const groups = await wrap([[key("a")], [key("b")], [key("c")]], 2);
    const calls: string[] = [];
    expect(await recover(groups, { threshold: 2, services: [service(calls)] })).toEqual(DATA_KEY);
    expect(calls).toEqual(["a", "b"]);
  });

  it("finds the good shares when one is corrupt", async () => {
    const groups = await wrap([[key("a")], [key("b")], [key("c")], [key("d")]], 3);
    const [first] = groups[1] ?? [];
    if (first === undefined) throw new Error("no key");
    const corrupt = groups.with(1, [{ ...first, enc: "ff".repeat(32) + first.enc.slice(64) }]);
    expect(await recover(corrupt, { threshold: 3 })).toEqual(DATA_KEY);
    await expect(recover(corrupt.slice(0, 3), { threshold: 3 })).rejects.toThrow(/do not belong together/);
  });

  it("needs as many groups as the threshold says", async () => {
    const groups = await wrap([[key("a")], [key("b")], [key("c")]], 3);
    await expect(recover(groups.slice(0, 2), { threshold: 3 })).rejects.toMatchObject({
      code: "ERR_DATA_KEY",
      threshold: 3,
    });
  });

  it("refuses a data key of another length", async () => {
    await expect(recover([[{ key: key("a"), enc: "00".repeat(16) }]])).rejects.toThrow(/32 bytes/);
  });

  it("asks the services one after the other for each key", async () => {
    const [group = []] = await wrap([[key("a")]]);
    const dead: KeyService = {
      wrap: () => Promise.reject(new KeyError("dead")),
      unwrap: () => Promise.reject(new KeyError("dead")),
    };
    expect(await recover([group], { services: [dead, service()] })).toEqual(DATA_KEY);
    await expect(recover([group], { services: [dead, dead] })).rejects.toMatchObject({
      groups: [{ attempts: [{ failures: ["dead", "dead"] }] }],
    });
  });

  it("shows nothing of an error that is none of ours", async () => {
    const leaky: KeyService = {
      wrap: () => Promise.reject(new Error("token t0k3n")),
      unwrap: () => Promise.reject(new Error("token t0k3n")),
    };
    const failure = recover([[{ key: key("a"), enc: "" }]], { services: [leaky] });
    await expect(failure).rejects.toMatchObject({
      groups: [{ attempts: [{ failures: [expect.not.stringContaining("t0k3n")] }] }],
    });
  });
});

it("asks a service once for each distinct wrapped key of a run, and gives out copies", async () => {
  const calls: string[] = [];
  const shared = sharingKeyService(service(calls));
  const first = await shared.unwrap(key("a"), "00ff");
  first.fill(0);
  expect(await shared.unwrap(key("a"), "00ff")).toEqual(Uint8Array.of(0, 255));
  await shared.unwrap(key("a"), "0011");
  await shared.unwrap(key("b"), "00ff");
  expect(calls).toEqual(["a", "a", "b"]);
});
