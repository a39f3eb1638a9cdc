/** Starts the browser of the tests of pages. */
// Deno alone runs what uses it, and nothing else needs the package: it is named here.
// deno-lint-ignore-file no-import-prefix
import { type Browser, type BrowserServer, chromium } from "npm:playwright-core@^1.65.1";

export type {
  Browser,
  BrowserContext,
  ConsoleMessage,
  Locator,
  Page,
} from "npm:playwright-core@^1.65.1";

/**
 * What Playwright switches off, and two pages of the address bar that each new window loads, which
 * takes more than the page of a test: Chromium heeds the last list alone.
 */
const UNWANTED = [
  "AimEnabled",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsFirstBalancedModeAutoEnable",
  "HttpsUpgrades",
  "LensOverlay",
  "MediaRouter",
  "NetworkTimeServiceQuerying",
  "OptimizationHints",
  "PaintHolding",
  "PreconnectToSearch",
  "ThirdPartyStoragePartitioning",
  "WebUIOmniboxAimPopup",
  "WebUIOmniboxPopup",
];

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  `--disable-features=${UNWANTED}`,
];

/** Starts one; the caller must close it. `more` are arguments of its command. */
export function openBrowser(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch(optionsWith(more));
}

/** Starts one as a process of its own, which a test may stop. */
export function openBrowserServer(): Promise<BrowserServer> {
  return chromium.launchServer(optionsWith([]));
}

/** Connects to one of those. */
export function connectTo(server: BrowserServer): Promise<Browser> {
  return chromium.connect(server.wsEndpoint());
}

function optionsWith(more: readonly string[]) {
  const args = [...ARGUMENTS, ...more];
  return { executablePath: "/usr/bin/chromium", headless: true, args };
}
