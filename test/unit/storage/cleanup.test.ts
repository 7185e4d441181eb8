import { EventEmitter } from "node:events";
import { expect, it } from "vitest";
import { createCleanup, endingSignals, installCleanup, type SignalSource } from "../../../src/storage/cleanup.ts";

/** A process whose signals are events, and that records how it is ended. */
function fakeProcess(): EventEmitter & SignalSource & { readonly raised: string[] } {
  const raised: string[] = [];
  const kill = (pid: number, signal: string): void => {
    raised.push(`${signal} to ${String(pid)}`);
  };
  return Object.assign(new EventEmitter(), { pid: 7, kill, raised });
}

it("runs its tasks once, the newest first, whatever fails", () => {
  const ran: string[] = [];
  const cleanup = createCleanup();
  cleanup.add(() => ran.push("first"));
  cleanup.add(() => {
    throw new Error("no");
  });
  const settled = cleanup.add(() => ran.push("settled"));
  cleanup.add(() => ran.push("last"));
  settled();
  cleanup.run();
  cleanup.run();
  expect(ran).toEqual(["last", "first"]);
});

it.each([...endingSignals])("runs on %s, which is then raised without us", (signal) => {
  const ran: string[] = [];
  const cleanup = createCleanup();
  const source = fakeProcess();
  installCleanup(source, cleanup);
  cleanup.add(() => ran.push("task"));
  source.emit(signal);
  expect(ran).toEqual(["task"]);
  expect(source.raised).toEqual([`${signal} to 7`]);
  expect(source.eventNames()).toEqual([]);
});

it("runs at the end of the process", () => {
  const ran: string[] = [];
  const cleanup = createCleanup();
  const source = fakeProcess();
  installCleanup(source, cleanup);
  cleanup.add(() => ran.push("task"));
  source.emit("exit");
  expect(ran).toEqual(["task"]);
});

it("leaves a signal alone that is for somebody else", () => {
  const ran: string[] = [];
  const cleanup = createCleanup();
  const source = fakeProcess();
  installCleanup(source, cleanup, (signal) => (signal === "SIGINT" ? "ignore" : "end"));
  cleanup.add(() => ran.push("task"));
  source.emit("SIGINT");
  expect([ran, source.raised]).toEqual([[], []]);
  source.emit("SIGTERM");
  expect([ran, source.raised]).toEqual([["task"], ["SIGTERM to 7"]]);
});

it("can be taken off again", () => {
  const source = fakeProcess();
  installCleanup(source, createCleanup())();
  expect(source.eventNames()).toEqual([]);
});
