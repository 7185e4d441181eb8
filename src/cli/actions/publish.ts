import { SopsError } from "../../errors.ts";
import type { Session } from "../session.ts";

/** Not built yet. */
export function publishAction(_session: Session): Promise<number> {
  throw new SopsError("ERR_USAGE", "publish is not available yet");
}
