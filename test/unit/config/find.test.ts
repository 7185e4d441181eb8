import { describe, expect, it } from "vitest";
import { findConfig, type ConfigLocation } from "../../../src/config/find.ts";

const US = 1000;

interface Search {
  /** Owners of the files and directories that exist. */
  readonly tree: Readonly<Record<string, number | undefined>>;
  readonly workingDirectory?: string;
  readonly fileDirectory?: string;
  readonly userId?: number | undefined;
}

function search({ tree, workingDirectory = "/a/b/c", fileDirectory, ...rest }: Search): {
  found: ConfigLocation | undefined;
  warnings: string[];
  asked: string[];
} {
  const warnings: string[] = [];
  const asked: string[] = [];
  const found = findConfig(workingDirectory, fileDirectory, {
    statFile: (path) => {
      asked.push(path);
      return Object.hasOwn(tree, path) ? { ownerId: tree[path] } : null;
    },
    userId: "userId" in rest ? rest.userId : US,
    warn: (message) => warnings.push(message),
  });
  return { found, warnings, asked };
}

describe("where it is found", () => {
  it.each<{ name: string; search: Search; found: string | undefined; shown?: string }>([
    { name: "in the working directory", search: { tree: { "/a/b/c/.sops.yaml": US } }, found: "/a/b/c/.sops.yaml" },
    {
      name: "two levels up (CF-01)",
      search: { tree: { "/a/.sops.yaml": US } },
      found: "/a/.sops.yaml",
      shown: "../../.sops.yaml",
    },
    {
      name: "at the root",
      search: { tree: { "/.sops.yaml": 0 } },
      found: "/.sops.yaml",
      shown: "../../../.sops.yaml",
    },
    {
      name: "the nearest of two (CF-02)",
      search: { tree: { "/a/.sops.yaml": US, "/a/b/.sops.yaml": US } },
      found: "/a/b/.sops.yaml",
      shown: "../.sops.yaml",
    },
    {
      name: "beside the file if the working directory has none (CF-03, I-35)",
      search: { tree: { "/x/.sops.yaml": US }, fileDirectory: "/x/y" },
      found: "/x/.sops.yaml",
      shown: "../../../x/.sops.yaml",
    },
    {
      name: "the working directory's before the file's (CF-04)",
      search: { tree: { "/a/.sops.yaml": US, "/x/.sops.yaml": US }, fileDirectory: "/x" },
      found: "/a/.sops.yaml",
      shown: "../../.sops.yaml",
    },
    { name: "nowhere", search: { tree: { "/a/sops.yaml": US }, fileDirectory: "/a/b/c/d" }, found: undefined },
  ])("$name", ({ search: given, found, shown = ".sops.yaml" }) => {
    const result = search(given);
    expect(result.found).toEqual(found === undefined ? undefined : { path: found, name: shown });
    expect(result.warnings).toEqual([]);
  });

  it("looks at no more than 100 levels", () => {
    const deep = `/${Array.from({ length: 150 }, () => "d").join("/")}`;
    const { found, asked } = search({ tree: { "/.sops.yaml": 0 }, workingDirectory: deep });
    expect(found).toBeUndefined();
    expect(asked.filter((path) => path.endsWith(".sops.yaml"))).toHaveLength(100);
  });
});

describe(".sops.yml", () => {
  const beginning = 'when searching for config file; the config file must be called ".sops.yaml"';

  it.each<{ name: string; tree: Search["tree"]; warnings: string[] }>([
    {
      name: "is ignored with a warning (CF-08)",
      tree: { "/a/b/c/.sops.yml": US },
      warnings: [`ignoring ".sops.yml" ${beginning}`],
    },
    {
      name: "names what is used instead (CF-09)",
      tree: { "/a/b/c/.sops.yml": US, "/a/b/.sops.yaml": US },
      warnings: [`ignoring ".sops.yml" ${beginning}; using "../.sops.yaml" instead`],
    },
    {
      name: "is told of once, for the first",
      tree: { "/a/b/.sops.yml": US, "/a/.sops.yml": US, "/.sops.yaml": 0 },
      warnings: [`ignoring "../.sops.yml" ${beginning}; using "../../../.sops.yaml" instead`],
    },
    {
      name: "is nothing to tell beside the right one, or above it",
      tree: { "/a/b/c/.sops.yaml": US, "/a/b/c/.sops.yml": US, "/a/.sops.yml": US },
      warnings: [],
    },
  ])("$name", ({ tree, warnings }) => {
    expect(search({ tree }).warnings).toEqual(warnings);
  });

  it("names a file found beside the file that is worked on", () => {
    const { warnings } = search({ tree: { "/a/.sops.yml": US, "/x/.sops.yaml": US }, fileDirectory: "/x" });
    expect(warnings).toEqual([`ignoring "../../.sops.yml" ${beginning}; using "../../../x/.sops.yaml" instead`]);
  });
});

describe("a configuration of another user in a parent directory (F5)", () => {
  const OTHER = 1001;

  it("is not used, nor any above it, and told of", () => {
    const { found, warnings } = search({ tree: { "/a/.sops.yaml": OTHER, "/.sops.yaml": 0 }, fileDirectory: "/a/b/x" });
    expect(found).toBeUndefined();
    expect(warnings).toEqual([
      'ignoring "../../.sops.yaml", which belongs to another user; name it with --config to use it',
    ]);
  });

  it.each<{ name: string; search: Search }>([
    { name: "in the working directory itself", search: { tree: { "/a/b/c/.sops.yaml": OTHER } } },
    { name: "that is root", search: { tree: { "/a/.sops.yaml": 0 } } },
    { name: "who owns the directory of the search", search: { tree: { "/a/.sops.yaml": OTHER, "/a/b/c": OTHER } } },
    { name: "on a system without numeric users", search: { tree: { "/a/.sops.yaml": undefined }, userId: undefined } },
  ])("is used $name", ({ search: given }) => {
    expect(search(given).found).toBeDefined();
    expect(search(given).warnings).toEqual([]);
  });
});
