/**
 * A function in Python with the packages that it needs:
 * `lamina run packages/sdk/examples/basic-python-environment.ts::scrapeAndAnalyze '"https://example.com"'`.
 */
import { App, Image } from "lamina";

// pandas 2.0.0 was built for numpy 1 and does not say so.
export const image = Image.debianSlim({ pythonVersion: "3.11" }).pipInstall("requests", "beautifulsoup4", "pandas==2.0.0", "numpy<2");

export const app = new App("web-scraper");

/** How many links a page has, and to how many other places. It is in `web_scraper.py`, beside this file. */
export const scrapeAndAnalyze = app.function<(url: string) => { total_links: number; unique_domains: number }>({
  image,
  python: "web_scraper:scrape_and_analyze",
});
