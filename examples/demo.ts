/**
 * `npm run demo`: the lead-routing example at work, with stand-ins of everything outside.
 *
 * Only syntax and modules of old Nodes here; the rest is loaded when the Node is known to run it.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 19)) {
  const { runDemo } = await import("./demo/main.ts");
  process.exitCode = await runDemo(process.argv.slice(2));
} else {
  process.stderr.write(
    `error NODE_TOO_OLD: this is Node ${process.versions.node}; Sluice needs 22.19 or later\n` +
      "hint: Start it with npm ci && npm run demo: that uses the Node 24 which npm ci puts into node_modules.\n",
  );
  process.exitCode = 1;
}
