/** A function with the packages that it needs: `lamina build packages/sdk/examples/basic-python-environment.ts`. */
import { App, Image } from "lamina";

// pandas 2.0.0 was built for numpy 1 and does not say so.
export const image = Image.debianSlim({ pythonVersion: "3.11" }).pipInstall("requests", "beautifulsoup4", "pandas==2.0.0", "numpy<2");

export const app = new App("web-scraper");

/** How many links a page has, and to how many other places. */
export const scrapeAndAnalyze = app.function({ image }, async (url: string) => {
  const page = await (await fetch(url)).text();
  const links = Array.from(page.matchAll(/<a\s[^>]*href="([^"]+)"/g), ([, link = ""]) => link);
  const domains = new Set(links.filter((link) => link.startsWith("http")).map((link) => new URL(link).host));
  return { totalLinks: links.length, uniqueDomains: domains.size };
});
