import { decryptAction } from "./actions/decrypt.ts";
import { auditFor } from "./audit.ts";
import type { CommandName } from "./commands.ts";
import type { Action, Session } from "./session.ts";

/** What each command runs; loaded when it does, but for decrypt, which is what the start path is for. */
const actions: Readonly<Record<CommandName, () => Promise<Action>>> = {
  legacy: async () => (await import("./actions/legacy.ts")).legacyAction,
  encrypt: async () => (await import("./actions/encrypt.ts")).encryptAction,
  decrypt: () => Promise.resolve(decryptAction),
  edit: async () => (await import("./actions/edit.ts")).editAction,
  set: async () => (await import("./actions/set.ts")).setAction,
  unset: async () => (await import("./actions/set.ts")).unsetAction,
  rotate: async () => (await import("./actions/rotate.ts")).rotateAction,
  updatekeys: async () => (await import("./actions/updatekeys.ts")).updateKeysAction,
  "groups add": async () => (await import("./actions/groups.ts")).addGroupAction,
  "groups delete": async () => (await import("./actions/groups.ts")).deleteGroupAction,
  "exec-env": async () => (await import("./actions/exec.ts")).execEnvAction,
  "exec-file": async () => (await import("./actions/exec.ts")).execFileAction,
  publish: async () => (await import("./actions/publish.ts")).publishAction,
  keyservice: async () => (await import("./actions/keyservice.ts")).keyServiceAction,
  filestatus: async () => (await import("./actions/filestatus.ts")).fileStatusAction,
};

/** Runs a command; gives its exit status. */
export async function runCommand(session: Session): Promise<number> {
  for (const warning of session.invocation.warnings) session.log("warning", warning);
  const { command } = session.invocation;
  const audit = await auditFor(command, session.host);
  try {
    const action = await actions[command]();
    return await action({ ...session, audit });
  } finally {
    await audit?.close();
  }
}
