// The program on Node as few files: `core` holds what every run needs, and each part below is compiled when the first of
// its functions is called. V8 takes 1 ms to compile 35 kB of our code, run or not: this leaves 169 kB of 253 in the start.
import { relative } from "node:path";

/** Parts that most runs do without, although they are imported in the usual way; chunk name and paths below src/. */
const parts = {
  json: /^formats\/(json|byte-text)/,
  ini: /^formats\/ini/,
  dotenv: /^formats\/dotenv/,
  replace: /^storage\/(atomic|locks|siblings|process-identity|in-place|permissions|links|folder)\./,
  general: /^formats\/yaml\/(general-reader|scanner|anchors|properties|flow-scalar|quoted|restructure-flow)/,
  emit: /^formats\/yaml\/emit\./,
  changes: /^document\/(graft|compare|integrity)\.|^metadata\/flatten|^operations\/integrity/,
  agekeys: /^keys\/age\/(ssh-recipient|ssh-wire|ed25519|plugin|library)\.|^bytes\/shamir/,
  reports: /^cli\/(report|failure-report|suggest)\./,
  paths: /^document\/path/,
  config: /^config\/(?!find)|^cli\/(key|selection)-options/,
};

/** Modules of Node that take time to load and are seldom called. */
const LAZY_MODULES = ["node:os", "node:timers/promises", "node:buffer"];

/** The chunks of the program, and the plugin that makes `require` wait for the first use. */
export function lazyChunks() {
  const core = new Set();
  return {
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [{ debugName: "parts", name: (id) => (core.has(id) ? (partOf(id) ?? "core") : null) }],
    },
    plugin: {
      name: "lazy-chunks",
      buildEnd() {
        const visit = (id) => {
          const info = core.has(id) ? null : this.getModuleInfo(id);
          if (info === null || info.isExternal) return;
          core.add(id);
          info.importedIds.forEach(visit);
        };
        for (const id of this.getModuleIds()) if (this.getModuleInfo(id).isEntry) visit(id);
      },
      renderChunk: (code) => deferRequires(code),
    },
  };
}

function partOf(id) {
  const path = relative("src", id);
  return Object.keys(parts).find((name) => parts[name].test(path));
}

/** `const x = require("…")` becomes a function, and each `x.y` a call of it. */
function deferRequires(code) {
  const names = [];
  const header = /^(?:const|let) (\w+) = require\("([^"]+)"\);$/gm;
  const deferred = code.replace(header, (line, name, module) => {
    if (!isDeferred(module)) return line;
    names.push(name);
    return `let ${name}$;\nconst ${name} = () => (${name}$ ??= require("${module}"));`;
  });
  return names.reduce((text, name) => {
    const constructed = text.replaceAll(new RegExp(`\\bnew ${name}\\.(\\w+)`, "g"), `new (${name}().$1)`);
    return constructed.replaceAll(new RegExp(`\\b${name}\\.(?=\\w)`, "g"), `${name}().`);
  }, deferred);
}

function isDeferred(module) {
  return LAZY_MODULES.includes(module) || Object.keys(parts).some((name) => module.startsWith(`./${name}-`));
}
