import { SluiceError } from "../core/index.ts";
import type { HostedProvider } from "./model-spec.ts";
import { providerFacts } from "./provider-facts.ts";

/** Loads the package of a provider. @throws PEER_MISSING with the line that installs it. */
export async function loadPeer<T>(provider: HostedProvider, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // A package that is there but lacks one of its own is broken, which installing it again would hide.
    const isAbsent = code === "ERR_MODULE_NOT_FOUND" && message.includes(`'${providerFacts[provider].peer.name}'`);
    throw isAbsent ? peerMissing(provider, error) : error;
  }
}

/** Tells whether a package can be loaded, without loading it. */
export function isInstalled(packageName: string): boolean {
  try {
    import.meta.resolve(packageName);
    return true;
  } catch {
    // The only thing that resolving the name of a package fails with.
    return false;
  }
}

/** The error for a provider whose package is not there. */
export function peerMissing(provider: HostedProvider, cause?: unknown): SluiceError {
  const { name, majorVersion } = providerFacts[provider].peer;
  return new SluiceError("PEER_MISSING", {
    message: `the package ${name} is not installed, and a configured model of provider ${provider} needs it`,
    hint: `npm install ${name}@${majorVersion}`,
    cause,
  });
}
