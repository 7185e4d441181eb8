import tseslint from "typescript-eslint";

/** Imports point one way: each folder may import from those to its right (docs/architecture.md). */
const layers = [
  "cli",
  "operations",
  "audit",
  "storage",
  "config",
  "metadata",
  "keys",
  "formats",
  "document",
  "go",
  "bytes",
];
const peers = { keys: ["formats"] };

/** What a program that holds secrets does nowhere, or in one place, which says why (safety.md 5.1). */
const dangers = [
  ["ImportSpecifier[imported.name=/^exec(Sync)?$/]", "no shell between us and a program: spawn it"],
  ["Property[key.name='shell'][value.value=true]", "no shell between us and a program: spawn it"],
  [
    "CallExpression[callee.object.name='JSON'][callee.property.name='parse']",
    "takes the last of a repeated key: use the reader of formats/json",
  ],
  [
    "CallExpression[callee.property.name='from'][arguments.1.value='base64']",
    "passes over what is no base64: use bytes/base64",
  ],
  [":function NewExpression[callee.name='RegExp']", "a pattern from data can hang us: use go/re2"],
  [
    "CallExpression[callee.object.name='process'][callee.property.name='exit']",
    "skips what cleans up: return a status",
  ],
  [
    "ImportDeclaration[source.value='node:fs'] ImportSpecifier[imported.name=/^(write|append|createWrite|cp|copy|truncate)/]",
    "may leave half a file: use storage/",
  ],
].map(([selector, message]) => ({ selector, message }));

const layerRules = layers.map((layer, index) => ({
  files: [`src/${layer}/**/*.ts`],
  rules: {
    "no-restricted-imports": [
      "error",
      {
        patterns: [
          {
            group: [...layers.slice(0, index), ...(peers[layer] ?? [])].flatMap((name) => [`**/${name}/**`]),
            message:
              "imports point one way: cli, operations, audit, storage, config, metadata, keys, formats, document, go, bytes",
          },
        ],
      },
    ],
  },
}));

export default tseslint.config(
  {
    ignores: [
      "eslint.config.js",
      "dist/",
      "coverage/",
      "node_modules/",
      ".cache/",
      "bin/*.cjs",
      "test/support/scripts/*.cjs",
    ],
  },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js", "bench/*.js", "scripts/*.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      eqeqeq: "error",
      "no-warning-comments": ["error", { terms: ["fixme", "xxx"] }],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "max-lines": ["error", { max: 400, skipBlankLines: true, skipComments: true }],
      "max-lines-per-function": ["error", { max: 60, skipBlankLines: true, skipComments: true }],
      "no-console": "error",
      "no-eval": "error",
      "no-restricted-syntax": ["error", ...dangers],
    },
  },
  // Tools in plain JavaScript, which no tsconfig knows.
  { files: ["**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  {
    files: ["**/*.mjs"],
    languageOptions: {
      globals: Object.fromEntries(
        ["process", "console", "Buffer", "URL", "setTimeout", "setInterval", "clearInterval"].map((name) => [
          name,
          "readonly",
        ]),
      ),
    },
    rules: { "no-undef": "error" },
  },
  ...layerRules.filter((rule) => rule.rules["no-restricted-imports"][1].patterns[0].group.length > 0),
);
