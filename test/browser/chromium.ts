import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

/** Where Debian puts Chromium; SLUICE_CHROMIUM names another. */
export const chromiumPath: string = process.env["SLUICE_CHROMIUM"] ?? "/usr/bin/chromium";

/** Whether there is a browser to test with. */
export const hasChromium: boolean = existsSync(chromiumPath);

/** Offline and without a sandbox of its own, which root cannot have; the pages are ours. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** What {@link openBrowser} takes. */
export interface BrowserOptions {
  readonly width: number;
  readonly height: number;
  readonly colorScheme?: "light" | "dark";
}

/** Opens a browser with an empty profile. */
export async function openBrowser(
  options: BrowserOptions,
): Promise<{ context: BrowserContext; close: () => Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), "sluice-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: flags,
    headless: true,
    viewport: { width: options.width, height: options.height },
    colorScheme: options.colorScheme ?? "light",
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
