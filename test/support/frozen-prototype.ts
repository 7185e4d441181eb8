// Nothing that is read from a file may reach what all objects share (P39). Where it tried, a frozen prototype throws.
import { afterEach, expect } from "vitest";

/** The SDKs of Google and Vault give objects of their own members of the prototype's names, which a frozen one forbids. */
const LOADS_OTHERS = /\/unit\/keys\/failures\.test\.ts$/u;

const known = Reflect.ownKeys(Object.prototype).length;

if (!LOADS_OTHERS.test(expect.getState().testPath ?? "")) Object.freeze(Object.prototype);

afterEach(() => {
  expect(Reflect.ownKeys(Object.prototype)).toHaveLength(known);
});
