import { SopsError } from "../../src/errors.ts";

/** The SopsError that `action` throws; whatever else it does is a failure of the test. */
export function failureOf(action: () => unknown): SopsError {
  try {
    action();
  } catch (error) {
    if (error instanceof SopsError) return error;
    throw error;
  }
  throw new Error("expected a SopsError");
}
