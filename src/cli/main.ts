#!/usr/bin/env -S node --disallow-code-generation-from-strings --disable-proto=delete
/*
 * The command `sluice`. Only syntax and modules of old Nodes here; the rest is loaded when the Node is known to run it.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > 22 || (major === 22 && minor >= 19)) {
  void import("./program.ts").then(({ runProcess }) => runProcess());
} else {
  process.stderr.write(
    `error NODE_TOO_OLD: this is Node ${process.versions.node}; Sluice needs 22.19 or later\n` +
      "hint: Install a current Node from https://nodejs.org, or put one into the project with: npm install node@24\n",
  );
  process.exitCode = 1;
}
