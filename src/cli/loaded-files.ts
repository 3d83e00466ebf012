import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** The folder of our own modules. */
const own = new URL("../", import.meta.url).href;

/** Tells of each file of the project that is imported from now on, also of one that then fails to load. */
export function watchLoadedFiles(onFile: (file: string) => void): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const { url } = resolved;
      if (url.startsWith("file:") && !url.includes("/node_modules/") && !url.startsWith(own))
        onFile(fileURLToPath(url));
      return resolved;
    },
  });
}
