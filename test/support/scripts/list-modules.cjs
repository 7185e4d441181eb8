"use strict";
// Loaded before a program: writes what it had loaded when it ended to the file that MODULE_LIST names.
process.once("exit", () => {
  const builtin = process.moduleLoadList.filter((name) => /^NativeModule (?!internal\/)/.test(name));
  const files = Object.keys(require.cache).filter((path) => path !== __filename);
  require("node:fs").writeFileSync(process.env.MODULE_LIST, JSON.stringify({ builtin, files }));
});
