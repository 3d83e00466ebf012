import { describe, expect, it } from "vitest";
import { listFiles, readJson, readText } from "./files.ts";

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly inBundle?: boolean;
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optionalDependencies?: { readonly [name: string]: string };
}

interface Manifest {
  readonly allowScripts: { readonly [name: string]: boolean };
  readonly dependencies: { readonly [name: string]: string };
  readonly devDependencies: { readonly [name: string]: string };
  readonly optionalDependencies: { readonly [name: string]: string };
}

const manifest = readJson("package.json") as Manifest;
const { packages } = readJson("package-lock.json") as { packages: { readonly [path: string]: Locked } };
const root = "node_modules/";
const locked = Object.entries(packages).filter(([path]) => path !== "");
const nameOf = (path: string): string => path.slice(path.lastIndexOf(root) + root.length);

/** Licences that let a company use, change and ship what it builds on Sluice. SPDX identifiers. */
const permissive = ["MIT", "ISC", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "BlueOak-1.0.0"];
/** Fonts may be shipped under it; the files of the dashboard hold two. */
const fonts = ["OFL-1.1"];

/** Of a choice such as `(MIT OR CC0-1.0)` one is enough; some packages write it in words. */
function isAllowed(license: string | undefined, allowed: readonly string[]): boolean {
  const choice = license?.replaceAll(/[()]/g, "").split(/ or /i) ?? [];
  return choice.some((one) => allowed.includes(one));
}

/** Whether npm finds a dependency of the package at a path: below it, or below a folder above it. */
function isLocked(path: string, name: string): boolean {
  const folders = path.split(`/${root}`).map((_, index, parts) => `${parts.slice(0, index + 1).join(`/${root}`)}/`);
  return ["", ...folders].some((folder) => packages[`${folder}${root}${name}`] !== undefined);
}

describe("the lock file", () => {
  it("has every package by digest, none from a repository, a folder or an address", () => {
    // What another package brings inside its own file is under that file's digest.
    const own = locked.filter(([, { inBundle }]) => !inBundle);
    const odd = own.filter(
      ([, { resolved, integrity, link }]) => resolved ?? link ?? !integrity?.startsWith("sha512-"),
    );
    expect(odd.map(([path]) => path)).toEqual([]);
    expect(own.length).toBeGreaterThan(200);
  });

  it("has the packages of other platforms too, without which npm ci fails on every platform", () => {
    const wanted = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).map((name) => ({ path, name })),
    );
    expect(wanted.filter(({ path, name }) => !isLocked(path, name))).toEqual([]);
    expect(wanted.length).toBeGreaterThan(50);
  });

  it("has exactly the versions that package.json names", () => {
    const direct = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });
    expect(direct.filter(([name, version]) => packages[`${root}${name}`]?.version !== version)).toEqual([]);
  });

  it("has no install script that was not looked at and allowed", () => {
    const scripts = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => nameOf(path));
    const allowed = Object.keys(manifest.allowScripts).filter((name) => manifest.allowScripts[name]);
    expect(scripts.toSorted()).toEqual(allowed.toSorted());
  });
});

describe("licences", () => {
  it("of everything that is installed with Sluice are permissive", () => {
    const shipped = locked.filter(([, { dev }]) => !dev);
    const others = shipped.filter(([, { license }]) => !isAllowed(license, permissive));
    expect(others.map(([path, { license }]) => `${nameOf(path)}: ${license}`)).toEqual([]);
    expect(shipped.length).toBeGreaterThan(50);
  });

  it("of what the dashboard's files are made of are permissive, or those of fonts", () => {
    const sources = listFiles("dashboard/src/**/*.{ts,tsx,css}").map(readText).join("\n");
    const bundled = Object.keys(manifest.devDependencies).filter((name) => sources.includes(`"${name}`));
    const licences = bundled.map((name) => [name, packages[`${root}${name}`]?.license] as const);
    expect(licences.filter(([, license]) => !isAllowed(license, [...permissive, ...fonts]))).toEqual([]);
    expect(bundled).toContain("react");
  });
});
