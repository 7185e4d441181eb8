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
    },
  },
  // Tools in plain JavaScript, which no tsconfig knows.
  { files: ["**/*.mjs"], ...tseslint.configs.disableTypeChecked },
  ...layerRules.filter((rule) => rule.rules["no-restricted-imports"][1].patterns[0].group.length > 0),
);
