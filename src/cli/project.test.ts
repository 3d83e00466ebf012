import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emptyFolder } from "./fixtures/project.ts";
import { toListen } from "./listen-options.ts";
import { loadConfig } from "./load-config.ts";
import { type CommandContext, openProject } from "./project.ts";

let folder: string;
beforeEach(async () => void (folder = await emptyFolder()));
afterEach(() => rm(folder, { recursive: true }));

const contextWith = (environment: CommandContext["environment"]): CommandContext => ({
  environment,
  workingFolder: folder,
  terminal: undefined as never,
  stdin: undefined as never,
});

describe("the project", () => {
  it("is the configuration in the working directory, with the data beside it", async () => {
    await writeFile(join(folder, "sluice.config.mjs"), "");
    expect(openProject(contextWith({}), {})).toEqual({
      configFile: join(folder, "sluice.config.mjs"),
      folder: join(folder, ".sluice"),
    });
  });

  it("is elsewhere when asked for", async () => {
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "sub/own.ts"), "");
    expect(openProject(contextWith({}), { config: "sub/own.ts" }).folder).toBe(join(folder, "sub/.sluice"));
    expect(openProject(contextWith({}), { config: "sub/own.ts", folder: "data" }).folder).toBe(join(folder, "data"));
    expect(() => openProject(contextWith({}), { config: "sub/gone.ts" })).toThrow(
      expect.objectContaining({ code: "CONFIG_NOT_FOUND" }) as Error,
    );
  });

  it("sets the variables of .env that are not set already", async () => {
    await writeFile(join(folder, ".env"), "# secrets\nTOKEN=from-file\nOTHER='a b'\n");
    const environment = { TOKEN: "from-shell" };
    openProject(contextWith(environment), {});
    expect(environment).toEqual({ TOKEN: "from-shell", OTHER: "a b" });
  });
});

async function load(source: string) {
  const file = join(folder, "sluice.config.mjs");
  await writeFile(file, source);
  return loadConfig(file);
}

describe("the configuration", () => {
  it("is what the file exports as default", async () => {
    expect(await load("export default { flows: [] };")).toEqual({ flows: [] });
  });

  it.each([
    ["export const flows = [];", "does not export a configuration as default"],
    ["export default { flows: 1 };", "does not export a configuration as default"],
    ["throw new TypeError('no good');", "cannot be loaded: TypeError: no good"],
    ["throw 'text';", "cannot be loaded: it threw string"],
  ])("%s is refused in clear words", async (source, problem) => {
    await expect(load(source)).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(problem) as unknown,
      hint: expect.any(String) as unknown,
    });
  });

  it("of a project with another copy of Sluice is refused", async () => {
    await mkdir(join(folder, "node_modules/sluice"), { recursive: true });
    await writeFile(join(folder, "node_modules/sluice/package.json"), "{}");
    await expect(load("export default { flows: [] };")).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: expect.stringContaining(join(folder, "node_modules/sluice/package.json")) as unknown,
    });
  });
});

describe("where it listens", () => {
  const config = { flows: [], allowedHosts: ["a.example"] };

  it("is said by options, else by variables", () => {
    const environment = { SLUICE_PUBLIC_PORT: "1", SLUICE_ADMIN_PORT: "2", SLUICE_PUBLIC_HOST: "0.0.0.0" };
    expect(toListen({ publicPort: "3" }, environment, config)).toEqual({
      publicHost: "0.0.0.0",
      publicPort: 3,
      adminPort: 2,
      secureCookies: false,
    });
  });

  it.each([
    [{}, false],
    [{ SLUICE_PUBLIC_URL: "https://hooks.example" }, true],
    [{ SLUICE_PUBLIC_URL: "https://hooks.example", SLUICE_ADMIN_URL: "http://127.0.0.1:4601" }, false],
    [{ SLUICE_ADMIN_URL: "https://sluice.example" }, true],
  ])("with %o cookies are secure: %s", (environment, expected) => {
    expect(toListen({}, environment, config).secureCookies).toBe(expected);
  });

  it("takes requests for the host of the admin URL", () => {
    const listen = toListen({ adminUrl: "https://sluice.example/" }, {}, config);
    expect(listen.allowedHosts).toEqual(["a.example", "sluice.example"]);
  });

  it.each([
    { publicPort: "65536" },
    { adminPort: "x" },
    { adminUrl: "sluice.example" },
    { adminUrl: "https://a.example/b" },
  ])("refuses %o", (options) => {
    expect(() => toListen(options, {}, config)).toThrow(expect.objectContaining({ code: "REQUEST_INVALID" }) as Error);
  });
});
