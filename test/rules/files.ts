import { globSync, readFileSync } from "node:fs";

/** Folders of what is installed or made. */
const ignored = ["node_modules", "dist", "coverage", ".git", ".sluice"];

/** Paths of the repository's files, from its root, with `/`. */
export function listFiles(pattern: string): string[] {
  const paths = globSync(pattern, { exclude: (name) => ignored.includes(name) }).map((path) =>
    path.replaceAll("\\", "/"),
  );
  return paths.filter((path) => !ignored.some((name) => path.split("/").includes(name))).toSorted();
}

/** Text of a file of the repository. */
export function readText(path: string): string {
  return readFileSync(path, "utf8");
}

/** JSON of a file of the repository. */
export function readJson(path: string): unknown {
  return JSON.parse(readText(path));
}
