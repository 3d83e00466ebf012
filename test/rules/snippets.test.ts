import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";
import { readText } from "./files.ts";

const root = join(import.meta.dirname, "../..");

/** Examples that are whole modules. */
const blocks = [...readText("docs/flows.md").matchAll(/^```ts\n(.*?)^```/gms)].map(([, text = ""]) => text);

it("each example of docs/flows.md compiles as it stands", () => {
  const options: ts.CompilerOptions = {
    ...ts.parseJsonConfigFileContent(
      ts.readConfigFile(join(root, "tsconfig.json"), (file) => ts.sys.readFile(file)).config,
      ts.sys,
      root,
    ).options,
    noEmit: true,
  };
  // As if they stood beside the documents.
  const files = new Map(blocks.map((text, at) => [join(root, `docs/example-${at}.ts`), text]));
  const base = ts.createCompilerHost(options);
  const host: ts.CompilerHost = {
    ...base,
    fileExists: (name) => files.has(name) || base.fileExists(name),
    getSourceFile(name, languageVersion, ...rest) {
      const text = files.get(name);
      if (text === undefined) return base.getSourceFile(name, languageVersion, ...rest);
      return ts.createSourceFile(name, text, languageVersion);
    },
  };
  const program = ts.createProgram([...files.keys()], options, host);
  const problems = [...files.keys()].flatMap((name) => ts.getPreEmitDiagnostics(program, program.getSourceFile(name)));
  expect(problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
  expect(files.size).toBeGreaterThan(4);
}, 60_000);
