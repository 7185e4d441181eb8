import { existsSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, expect } from "vitest";

const OPEN = "/proc/self/fd";

/** In every test of a file: what was opened is closed when the test ends, however it ended (where the system tells). */
export function expectNoOpenFiles(): void {
  if (!existsSync(OPEN)) return;
  let before = 0;
  beforeEach(() => {
    before = readdirSync(OPEN).length;
  });
  afterEach(() => {
    expect(readdirSync(OPEN).length).toBeLessThanOrEqual(before);
  });
}
