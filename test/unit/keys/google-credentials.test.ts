import { GoogleAuth } from "google-auth-library";
import { afterEach, expect, it, vi } from "vitest";
import { credentialsFileFailure } from "../../../src/keys/google-credentials.ts";
import { scratch } from "../../support/scratch.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

it("knows the error of Google's library for a file that is not there", async () => {
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", scratch().at("nowhere.json"));
  const error: unknown = await new GoogleAuth().getClient().catch((thrown: unknown) => thrown);
  expect(credentialsFileFailure(error)).toEqual({
    reason: "a file with Google credentials cannot be read (ENOENT)",
    passing: false,
    advice: "check GOOGLE_APPLICATION_CREDENTIALS",
  });
});

it.each([
  { name: "a connection", error: Object.assign(new Error("x"), { code: "ECONNREFUSED" }) },
  { name: "an answer", error: Object.assign(new Error("x"), { code: 403 }) },
  { name: "no error", error: undefined },
])("leaves other failures to others: $name", ({ error }) => {
  expect(credentialsFileFailure(error)).toBeNull();
});
