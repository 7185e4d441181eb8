import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { auditConfig, canAudit, runAudited } from "../support/audited.ts";
import { fixture, sandbox, type RunOptions, type RunResult, type Sandbox } from "../support/sandbox.ts";
import { AGE1 } from "../support/workbench.ts";
import { startGate, type Gate } from "./support/gate.ts";
import { postgres } from "./support/postgres.ts";
import { SOPS } from "./support/scenarios.ts";
import { describeWith } from "./support/servers.ts";

const PASSWORD = String.raw`it's a\secret`;
/** The table as the reference has it; the account of the log may insert, and nothing else. */
const TABLE = `
  create table audit_event (
    id serial primary key, timestamp timestamp default current_timestamp, action text, username text, file text
  );
  grant insert on audit_event to logger;
  grant usage on audit_event_id_seq to logger;`;
const PLAIN = "a: 1\nb: text\n";

/** What commands write down: the actions in their order, all about one file. */
interface Case {
  readonly args: readonly string[];
  readonly rows: readonly string[];
  /** `e.yaml` unless it says otherwise; "" is the working directory. */
  readonly file?: string;
  readonly status?: number;
  readonly options?: RunOptions;
}

const stdin: RunOptions = { input: PLAIN };
const editor = (command: string): RunOptions => ({ env: { EDITOR: command } });
const noKey: RunOptions = { env: { SOPS_AGE_KEY_FILE: "/dev/null" } };

const CASES: readonly Case[] = [
  { args: ["decrypt", "e.yaml"], rows: ["decrypt"] },
  { args: ["decrypt", "sub/../e.yaml"], rows: ["decrypt"] },
  { args: ["-d", "e.yaml"], rows: ["decrypt"] },
  { args: ["decrypt", "--extract", '["absent"]', "e.yaml"], rows: ["decrypt"], status: 1 },
  { args: ["decrypt", "e.yaml"], rows: [], status: 128, options: noKey },
  { args: ["decrypt", "plain.yaml"], rows: [], status: 1 },
  { args: ["decrypt", "broken.yaml"], rows: ["decrypt"], status: 25, file: "broken.yaml" },
  { args: ["encrypt", "plain.yaml"], rows: ["encrypt"], file: "plain.yaml" },
  { args: ["encrypt", "-i", "plain.yaml"], rows: ["encrypt"], file: "plain.yaml" },
  { args: ["-e", "plain.yaml"], rows: ["encrypt"], file: "plain.yaml" },
  { args: ["encrypt", "--filename-override", "sub/x.yaml"], rows: ["encrypt"], file: "", options: stdin },
  { args: ["encrypt", "e.yaml"], rows: [], status: 203 },
  { args: ["set", "e.yaml", '["a"]', "2"], rows: ["decrypt", "encrypt"] },
  { args: ["--set", '["a"] 2', "e.yaml"], rows: ["decrypt", "encrypt"] },
  { args: ["unset", "e.yaml", '["a"]'], rows: ["decrypt", "encrypt"] },
  { args: ["unset", "e.yaml", '["absent"]'], rows: ["decrypt"], status: 1 },
  { args: ["rotate", "e.yaml"], rows: ["rotate", "decrypt", "encrypt"] },
  { args: ["-r", "-i", "e.yaml"], rows: ["rotate", "decrypt", "encrypt"] },
  { args: ["rotate", "e.yaml"], rows: ["rotate"], status: 128, options: noKey },
  { args: ["edit", "e.yaml"], rows: ["decrypt", "encrypt"], options: editor("sed -i s/text/other/") },
  { args: ["edit", "e.yaml"], rows: ["decrypt"], status: 200, options: editor("true") },
  { args: ["edit", "e.yaml"], rows: ["decrypt"], status: 201, options: editor("false") },
  { args: ["edit", "new.yaml"], rows: ["encrypt"], file: "new.yaml", options: editor("sed -i s/hello/hi/I") },
  { args: ["exec-env", "e.yaml", "true"], rows: ["decrypt"] },
  { args: ["exec-file", "e.yaml", "true {}"], rows: ["decrypt"] },
  { args: ["updatekeys", "-y", "e.yaml"], rows: [] },
  { args: ["groups", "add", "-f", "e.yaml", "--age", AGE1], rows: [] },
  { args: ["filestatus", "e.yaml"], rows: [] },
];

/** The actions written down by a session of publish: as it is, encrypted anew. The upload itself goes nowhere. */
const PUBLICATIONS = [
  ["as it is", "", []],
  ["encrypted anew", `    recreation_rule: {age: ${AGE1}}\n`, ["decrypt", "encrypt"]],
] as const;

describe.skipIf(!canAudit)("needs a mount namespace", () => {
  describeWith("the audit log (PostgreSQL)", postgres, (server) => {
    let gate: Gate;
    let box: Sandbox;

    beforeAll(async () => {
      gate = await startGate(server().port);
      server().query(`create role logger login password '${PASSWORD.replaceAll("'", "''")}'`);
      for (const name of ["events", "others", "tableless"]) server().query(`create database ${name}`);
      for (const name of ["events", "others"]) server().query(TABLE, name);
    });
    afterAll(async () => {
      await gate.stop();
    });
    beforeEach(async () => {
      gate.mode = "open";
      for (const name of ["events", "others"]) server().query("truncate audit_event", name);
      box = sandbox({
        id: fixture("keys/age1.txt"),
        "e.yaml": PLAIN,
        "f.yaml": PLAIN,
        "plain.yaml": PLAIN,
        "sub/x": "",
      });
      box.write(".sops.yaml", `creation_rules:\n  - age: ${AGE1}\n`);
      expect(await box.run("encrypt", "-i", "e.yaml", "f.yaml")).toMatchObject({ status: 0 });
      box.write("broken.yaml", box.read("e.yaml").replace(/data:./, "data:////"));
    });
    afterEach(() => {
      box.remove();
    });

    const pair = (text: string): string => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`;
    const strings = (port: number, database: string): { readonly url: string; readonly pairs: string } => ({
      url: `postgres://logger:${encodeURIComponent(PASSWORD)}@127.0.0.1:${String(port)}/${database}`,
      pairs: `host=127.0.0.1 port=${String(port)} user=logger password=${pair(PASSWORD)} dbname=${database}`,
    });
    const events = (): string => auditConfig(`${strings(gate.port, "events").url}?sslmode=disable`);
    const rows = (database = "events"): string[] =>
      server().query("select action, username, file from audit_event order by id", database);
    /** Root of the system, or of a namespace of our own, which its /etc/passwd calls the same. */
    const account = "root";

    async function run(config: string, argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
      const result = await runAudited(box, config, argv, {
        ...options,
        env: { SOPS_AGE_KEY_FILE: "id", USER: "somebody-else", ...options.env },
      });
      expect(result.isTimedOut).toBe(false);
      for (const secret of [PASSWORD, encodeURIComponent(PASSWORD), "logger"])
        expect(result.stderr).not.toContain(secret);
      return result;
    }
    const rowsOf = ({ rows: actions, file = "e.yaml" }: Case): string[] =>
      actions.map((action) => `${action}|${account}|${join(box.dir, file)}`);
    const nameOf = ({ args, status = 0 }: Case): string => `${args.join(" ")}, status ${String(status)}`;
    const named = CASES.map((one) => [nameOf(one), one] as const);

    describe.each(["leafcrypt", "sops"])("%s", (program) => {
      it.each(named)("K-50 K-51 writes the rows of %s", async (_, one) => {
        const { status } = await run(events(), [program, ...one.args], one.options);
        expect({ status, rows: rows() }).toEqual({ status: one.status ?? 0, rows: rowsOf(one) });
      });

      it.each(PUBLICATIONS)("K-50 writes the rows of publish, %s", async (_, rule, actions) => {
        box.write(".sops.yaml", `destination_rules:\n  - s3_bucket: b\n    path_regex: .*\n${rule}`);
        const { status } = await run(events(), [program, "publish", "e.yaml"]); // nobody says yes
        expect({ status, rows: rows() }).toEqual({ status: 1, rows: rowsOf({ args: [], rows: actions }) });
      });
    });

    it.skipIf(SOPS === null).each(named)("the reference writes the rows of %s", async (_, one) => {
      const { status } = await run(events(), [SOPS ?? "", ...one.args], one.options);
      expect({ status, rows: rows() }).toEqual({ status: one.status ?? 0, rows: rowsOf(one) });
    });

    it("writes a row for each of many files over one connection", async () => {
      const names = Array.from({ length: 20 }, (_, index) => `n${String(index)}.yaml`);
      for (const name of names) box.write(name, box.read("e.yaml"));
      const before = gate.connections;
      expect(await run(events(), ["leafcrypt", "decrypt", ...names])).toMatchObject({
        status: 0,
        stdout: PLAIN.repeat(20),
      });
      expect(rows().sort()).toEqual(names.map((name) => `decrypt|${account}|${join(box.dir, name)}`).sort());
      expect(gate.connections - before).toBe(1);
    });

    it("writes into every database, and does nothing if one of them is down", async () => {
      const [first, second] = [strings(gate.port, "events").url, strings(server().port, "others").url];
      const tail = "?sslmode=disable";
      expect(await run(auditConfig(first + tail, second + tail), ["leafcrypt", "decrypt", "e.yaml"])).toMatchObject({
        status: 0,
      });
      expect(rows("others")).toEqual(rows());
      expect(rows()).toHaveLength(1);
      const down = second.replace(/:\d+\//, ":1/");
      const result = await run(auditConfig(first + tail, down), ["leafcrypt", "decrypt", "e.yaml"]);
      expect(result).toMatchObject({ status: 1, stdout: "" });
      expect(result.stderr).toMatch(/^leafcrypt: audit database 2 of [^\n]*\n$/);
      expect(rows()).toHaveLength(1);
    });

    describe("connects", () => {
      const port = (): string => String(server().port);
      const login = `user=logger password=${pair(PASSWORD)} dbname=events`;
      it.each<[string, () => string, Readonly<Record<string, string>>?]>([
        ["by key=value", () => `${strings(server().port, "events").pairs} sslmode=disable`],
        ["by a Unix socket", () => `host=${server().socketFolder} port=${port()} ${login}`],
        [
          "by a Unix socket in a URL",
          () =>
            `postgres://logger:${encodeURIComponent(PASSWORD)}@/events?host=${server().socketFolder}&port=${port()}`,
        ],
        ["with TLS where nothing is said", () => strings(server().port, "events").pairs],
        [
          "with TLS and its authority",
          () => `${strings(server().port, "events").pairs} sslmode=verify-ca sslrootcert=${server().caFile}`,
        ],
        [
          "with TLS and its name",
          () =>
            `host=localhost hostaddr=127.0.0.1 port=${port()} ${login} sslmode=verify-full sslrootcert=${server().caFile}`,
        ],
        ["to the second of two servers", () => `host=127.0.0.1,127.0.0.1 port=1,${port()} ${login}`],
        [
          "with what the variables say",
          () => "sslmode=disable",
          { PGHOST: "127.0.0.1", PGUSER: "logger", PGPASSWORD: PASSWORD, PGDATABASE: "events" },
        ],
        [
          "with settings of the session",
          () => `${strings(server().port, "events").pairs} search_path=public options='-c geqo=off'`,
        ],
      ])("%s", async (_, text, env = {}) => {
        const variables = "PGHOST" in env ? { ...env, PGPORT: port() } : env;
        const result = await run(auditConfig(text()), ["leafcrypt", "decrypt", "e.yaml"], { env: variables });
        expect(result).toMatchObject({ status: 0, stdout: PLAIN, stderr: "" });
        expect(rows()).toHaveLength(1);
        if (SOPS !== null) {
          const theirs = await run(auditConfig(text()), [SOPS, "decrypt", "e.yaml"], { env: variables });
          expect(theirs).toMatchObject({ status: 0 });
        }
      });

      it("with a password file", async () => {
        box.write("../home/.pgpass", `127.0.0.1:${port()}:events:logger:${PASSWORD.replaceAll("\\", "\\\\")}\n`, 0o600);
        const text = `host=127.0.0.1 port=${port()} user=logger dbname=events`;
        expect(await run(auditConfig(text), ["leafcrypt", "decrypt", "e.yaml"])).toMatchObject({ status: 0 });
        expect(rows()).toHaveLength(1);
      });
    });

    describe("does nothing, and shows neither password nor address,", () => {
      const tail = "?sslmode=disable";
      it.each<[string, () => string, string]>([
        [
          "with a wrong password",
          () => strings(server().port, "events").url.replace("secret", "other") + tail,
          "the password is wrong (SQLSTATE 28P01)",
        ],
        [
          "without the database",
          () => strings(server().port, "absent").url + tail,
          "there is no such database (SQLSTATE 3D000)",
        ],
        [
          "with an authority that is not the server's",
          () => `${strings(server().port, "events").url}?sslmode=verify-full`,
          "no connection (UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
        ],
        [
          "with a server of another name",
          () =>
            strings(server().port, "events").pairs.replace("host=127.0.0.1", "host=other.test hostaddr=127.0.0.1") +
            ` sslmode=verify-full sslrootcert=${server().caFile}`,
          "no connection (ERR_TLS_CERT_ALTNAME_INVALID)",
        ],
      ])("%s", async (_, text, reason) => {
        const result = await run(auditConfig(text()), ["leafcrypt", "decrypt", "--verbose", "e.yaml"]);
        expect(result).toMatchObject({ status: 1, stdout: "" });
        expect(result.stderr).toContain(
          `leafcrypt: audit database 1 of /etc/sops/audit.yaml cannot be used: ${reason}`,
        );
        expect(result.stderr).not.toContain(String(server().port));
      });

      it("without the table", async () => {
        const config = auditConfig(strings(server().port, "tableless").url + tail);
        for (const args of [
          ["decrypt", "e.yaml"],
          ["encrypt", "-i", "plain.yaml"],
          ["rotate", "-i", "e.yaml"],
          ["exec-env", "e.yaml", "touch made"],
        ]) {
          const result = await run(config, ["leafcrypt", ...args]);
          expect(result).toMatchObject({ status: 1, stdout: "" });
          expect(result.stderr).toBe(
            "leafcrypt: audit database 1 of /etc/sops/audit.yaml did not take the event: there is no table audit_event (SQLSTATE 42P01)\n",
          );
        }
        expect(box.read("plain.yaml")).toBe(PLAIN);
        expect(box.exists("made")).toBe(false);
      });

      it("without the right to insert", async () => {
        server().query("revoke insert on audit_event from logger", "events");
        onTestFinished(() => void server().query("grant insert on audit_event to logger", "events"));
        const before = box.read("e.yaml");
        const result = await run(events(), ["leafcrypt", "set", "e.yaml", '["a"]', "2"]);
        expect(result).toMatchObject({ status: 1, stdout: "" });
        expect(result.stderr).toContain(
          "did not take the event: the user may not insert into audit_event (SQLSTATE 42501)",
        );
        expect(box.read("e.yaml")).toBe(before);
      });

      it.each(["silent", "closed", "cut"] as const)("with a connection that is %s", async (mode) => {
        gate.mode = mode;
        const result = await run(events(), ["leafcrypt", "decrypt", "e.yaml"], { env: { LEAFCRYPT_TIMEOUT: "0.5" } });
        expect(result).toMatchObject({ status: 1, stdout: "" });
        expect(result.stderr).toMatch(
          /^leafcrypt: audit database 1 of \/etc\/sops\/audit\.yaml cannot be used: [^\n]*\n$/,
        );
      });
    });

    it("connects anew where the connection was lost during an edit", async () => {
      const end = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'logger'";
      const done = join(box.dir, "go-on");
      const script = `#!/bin/sh\ntouch "${box.dir}/waiting"; while ! [ -e "${done}" ]; do sleep 0.05; done\nsed -i s/text/other/ "$1"\n`;
      box.write("../editor", script, 0o755);
      const editing = run(events(), ["leafcrypt", "edit", "e.yaml"], { env: { EDITOR: join(box.dir, "../editor") } });
      await expect.poll(() => box.exists("waiting"), { timeout: 10_000 }).toBe(true);
      expect(server().query(end)).toEqual(["t"]);
      box.write("go-on", "");
      expect(await editing).toMatchObject({ status: 0, stderr: "" });
      expect(rows().map((row) => row.split("|")[0])).toEqual(["decrypt", "encrypt"]);
    });

    it("keeps an edit that cannot be written down for later, and changes nothing", async () => {
      box.write(
        "../editor",
        `#!/bin/sh\ntouch "${box.dir}/waiting"; while ! [ -e "${box.dir}/go-on" ]; do sleep 0.05; done\nsed -i s/text/other/ "$1"\n`,
        0o755,
      );
      const before = box.read("e.yaml");
      const editing = run(events(), ["leafcrypt", "edit", "e.yaml"], { env: { EDITOR: join(box.dir, "../editor") } });
      await expect.poll(() => box.exists("waiting"), { timeout: 10_000 }).toBe(true);
      server().query("revoke insert on audit_event from logger", "events");
      onTestFinished(() => void server().query("grant insert on audit_event to logger", "events"));
      box.write("go-on", "");
      const result = await editing;
      expect(result).toMatchObject({ status: 1 });
      expect(result.stderr).toContain("edit --recover e.yaml goes on with it");
      expect(box.read("e.yaml")).toBe(before);
    });
  });
});
