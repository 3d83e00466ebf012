/** The arrows between rooms. See ARCHITECTURE.md; test/rules/rooms.test.ts proves that these rules bite. */
const rooms = "core|store|engine|ai|review|knowledge|agent|connect|triggers|ops|server|cli|sandbox|testing";

/** Tests, and the folders `fixtures/` of what only tests use. They are no part of the package and may import more. */
const tests = "(\\.test\\.ts$|/fixtures/)";

/** What each room may import besides itself and what it lists here. */
const mayImport = {
  core: [],
  store: ["core"],
  engine: ["core", "store"],
  ai: ["core", "store"],
  connect: ["core", "store"],
  triggers: ["core", "store"],
  ops: ["core", "store", "connect"],
  server: ["core", "store", "triggers", "ops"],
  sandbox: ["core"],
};

const arrows = Object.entries(mayImport).map(([room, others]) => ({
  name: `${room}-imports`,
  severity: "error",
  comment: `${room} imports ${others.join(", ") || "nothing of ours"}`,
  from: { path: `^src/${room}/`, pathNot: tests },
  to: { path: `^src/(${rooms})/`, pathNot: `^src/(${[room, ...others].join("|")})/` },
}));

/** A third-party library has one home. */
const homes = {
  "@dbos-inc/dbos-sdk": "engine",
  kysely: "store",
  ai: "ai",
  "@ai-sdk/[^/]+": "ai",
  jsonrepair: "ai",
  "@pydantic/genai-prices": "ai",
  "libphonenumber-js": "ai",
  ibantools: "ai",
  compromise: "ai",
  undici: "connect",
  "ipaddr.js": "connect",
  "@slack/web-api": "connect",
  hono: "(server|triggers)",
  "@hono/node-server": "server",
  "@node-rs/argon2": "server",
  pino: "ops",
  commander: "cli",
  pg: "store",
};

/** Where a room may be entered from outside. */
const doors = ["^src/[^/]+/index\\.ts$", "^src/connect/connectors/"];

const libraries = Object.entries(homes).map(([library, room]) => ({
  name: `only-${room.replaceAll(/\W/g, "")}-imports-${library.replaceAll(/\W/g, "")}`,
  severity: "error",
  from: { path: "^src/", pathNot: `(^src/${room}/|${tests})` },
  to: { path: `node_modules/${library}/` },
}));

module.exports = {
  forbidden: [
    ...arrows,
    ...libraries,
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "only-app-and-testing-import-engine",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(engine/|app\\.ts|testing/)" },
      to: { path: "^src/engine/" },
    },
    {
      name: "only-cli-and-testing-import-the-application",
      severity: "error",
      comment: "The rooms are wired together by app.ts; none of them knows it.",
      from: { path: `^src/(${rooms})/`, pathNot: `^src/(cli|testing)/|${tests}` },
      to: { path: "^src/[^/]+$" },
    },
    {
      name: "rooms-are-entered-by-their-door",
      severity: "error",
      comment: "Another room is entered through its index.ts; a connector through its own file.",
      from: { path: `^src/(${rooms})/`, pathNot: tests },
      to: { path: `^src/(${rooms})/`, pathNot: ["^src/$1/", ...doors] },
    },
    {
      name: "app-enters-rooms-by-their-door",
      severity: "error",
      from: { path: "^src/[^/]+$" },
      to: { path: `^src/(${rooms})/`, pathNot: doors },
    },
    {
      name: "examples-import-what-is-published",
      severity: "error",
      comment:
        "An example shows what a user can write. The demo also looks behind the scenes, through the rooms' doors.",
      from: { path: "^examples/", pathNot: "^examples/demo/" },
      to: { path: "^src/", pathNot: ["^src/index\\.ts$", "^src/connect/connectors/", "^src/testing/index\\.ts$"] },
    },
    {
      name: "demo-enters-rooms-by-their-door",
      severity: "error",
      from: { path: "^examples/demo/" },
      to: { path: `^src/(${rooms})/`, pathNot: doors },
    },
    {
      name: "src-stands-alone",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: "^(dashboard|examples|bench|test)/" },
    },
    {
      name: "no-test-code-in-the-package",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { path: tests },
    },
    {
      name: "no-undeclared-packages",
      severity: "error",
      from: { path: "^src/", pathNot: tests },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "@ai-sdk/" },
    },
    { name: "nothing-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(dist|coverage)/" },
    enhancedResolveOptions: {
      conditionNames: ["sluice-source", "import", "node", "default", "types"],
      exportsFields: ["exports"],
    },
  },
};
