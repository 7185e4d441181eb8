// A plugin for the tests. It "wraps" by XOR with 0x55, and FAKE_PLUGIN_MODE tells it how to misbehave.
import { createInterface } from "node:readline";

interface Message {
  readonly args: readonly string[];
  readonly body: string;
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function nextLine(): Promise<string> {
  const line: IteratorResult<string, undefined> = await lines.next();
  if (line.done === true) process.exit(1);
  return line.value;
}

async function receive(): Promise<Message> {
  const args = (await nextLine()).slice("-> ".length).split(" ");
  let body = "";
  for (;;) {
    const line = await nextLine();
    body += line;
    if (line.length < 64) return { args, body };
  }
}

async function receiveAll(): Promise<Message[]> {
  const messages: Message[] = [];
  for (;;) {
    const message = await receive();
    if (message.args[0] === "done") return messages;
    messages.push(message);
  }
}

function send(args: string, body = ""): void {
  const wrapped = `${body.replace(/.{64}/g, "$&\n")}\n`;
  process.stdout.write(`-> ${args}\n${wrapped}`);
}

function encode(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString("base64").replace(/=+$/, "");
}

function mask(body = ""): string {
  return encode(Buffer.from(body, "base64").map((byte) => byte ^ 0x55));
}

/** Sends, and gives the answer. */
async function ask(args: string, text: string): Promise<Message> {
  send(args, encode(text));
  return receive();
}

async function work(messages: readonly Message[]): Promise<void> {
  if (process.argv[2] === "--age-plugin=recipient-v1") {
    send("recipient-stanza 0 fake a b", mask(messages.find(({ args }) => args[0] === "wrap-file-key")?.body));
    await receive();
    return;
  }
  const stanza = messages.find(({ args }) => args[0] === "recipient-stanza" && args[2] === "fake");
  if (stanza === undefined) return;
  send("file-key 0", mask(stanza.body));
  await receive();
}

async function askForPin(): Promise<boolean> {
  await ask("msg", "touch it");
  const { args } = await ask("grease 1 2", "x");
  const pin = await ask("request-secret", "PIN?");
  if (args[0] === "unsupported" && pin.args[0] === "ok" && Buffer.from(pin.body, "base64").toString() === "1234")
    return true;
  await ask("error identity 0", "wrong PIN");
  return false;
}

async function main(mode: string | undefined): Promise<void> {
  const messages = await receiveAll();
  switch (mode) {
    case "quit":
      return;
    case "hang":
      return new Promise((resolve) => setTimeout(resolve, 600_000));
    case "garbage":
      process.stdout.write("hello\n");
      return;
    case "flood":
      for (;;) await ask("msg", "A".repeat(10_000));
    case "error":
      await ask("error internal", "token \u001b[31mnot found");
      break;
    case "ask":
      if (await askForPin()) await work(messages);
      break;
    default:
      await work(messages);
  }
  send("done");
}

await main(process.env["FAKE_PLUGIN_MODE"]);
process.exit(0);
