import { type Check, ok, warning } from "./check.ts";

/** The Node that runs this, and the switches that take code and prototypes out of the reach of data. */
export const nodeCheck: Check = {
  name: "node",
  look() {
    const { version, platform, arch, execArgv, env } = process;
    const given = `${execArgv.join(" ")} ${env["NODE_OPTIONS"] ?? ""}`;
    const missing = ["--disallow-code-generation-from-strings", "--disable-proto=delete"].filter(
      (flag) => !given.includes(flag),
    );
    // That it is new enough was checked before anything was loaded.
    const node = ok(`Node ${version} on ${platform}-${arch}`);
    if (missing.length === 0) return [node, ok("runs with the switches that keep data from becoming code")];
    return [
      node,
      warning(`runs without ${missing.join(" ")}`, "Start it as sluice or npx sluice, or set them in NODE_OPTIONS."),
    ];
  },
};
