/** Debian packages, Python packages, commands and variables in one image. */
import { App, Image } from "lamina";

export const dataScience = Image.debianSlim({ pythonVersion: "3.11" })
  .aptInstall("git", "curl", "build-essential")
  .pipInstall("numpy", "pandas", "scikit-learn", "matplotlib", "seaborn", "jupyter", "plotly", "scipy")
  .runCommands(
    "pip install --no-deps lightgbm", // installed in a way of its own
    "mkdir -p /opt/data",
  )
  .env({ DATA_PATH: "/opt/data", PYTHONPATH: "/opt/models" });

export const app = new App("ml-pipeline");

/** What there is to train on. */
export const describe = app.function({ image: dataScience }, async (dataset: string) => {
  const { readFile } = await import("node:fs/promises");
  const [header = "", ...rows] = (await readFile(dataset, "utf8")).trim().split("\n");
  return { columns: header.split(","), rows: rows.length };
});
