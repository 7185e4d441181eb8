import { SopsError } from "../../errors.ts";
import type { Session } from "../session.ts";

/** Not built yet. */
export function keyServiceAction(_session: Session): Promise<number> {
  throw new SopsError("ERR_USAGE", "keyservice is not available yet");
}
