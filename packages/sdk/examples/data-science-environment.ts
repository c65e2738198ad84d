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

/** Learns to tell `target` from the other columns of a CSV file, at a path in the image or a URL. It is in `ml_pipeline.py`. */
export const trainModel = app.function<(dataset: string) => { accuracy: number; model_type: string }>({
  image: dataScience,
  python: "ml_pipeline:train_model",
});
