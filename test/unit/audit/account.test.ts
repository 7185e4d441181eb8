import { userInfo } from "node:os";
import { expect, it } from "vitest";
import { accountName } from "../../../src/audit/account.ts";
import { scratch } from "../../support/scratch.ts";

const id = String(process.getuid?.());

it("is the name of the account's number, whatever the variables say", () => {
  const passwd = scratch().put(
    "passwd",
    `other:x:4242:1::/:/bin/sh\nme:x:${id}:1::/:/bin/sh\nagain:x:${id}:1::/:/bin/sh\n`,
  );
  expect(accountName({ USER: "forged" }, passwd)).toBe("me");
});

it("comes from the system's services where the file does not have it", () => {
  expect(accountName({ USER: "forged" }, scratch().put("passwd", ""))).toBe(userInfo().username);
});
