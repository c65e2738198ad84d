/** The reference's basic Python environment, made anew each time. */
import { Image } from "lamina";

export const PACKAGES = ["requests", "beautifulsoup4", "pandas==2.0.0"] as const;

export const image = Image.debianSlim({ pythonVersion: "3.11" }).pipInstall(...PACKAGES, { forceBuild: true });
