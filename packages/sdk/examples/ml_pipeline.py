"""The function of `data-science-environment.ts`."""

from __future__ import annotations

import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split


def train_model(dataset_path: str) -> dict[str, float | str]:
    """Learns to tell the column `target` from the others, and says how well it can."""
    df = pd.read_csv(dataset_path)
    x_train, x_test, y_train, y_test = train_test_split(df.drop("target", axis=1), df["target"], test_size=0.2)

    model = RandomForestClassifier(n_estimators=100)
    model.fit(x_train, y_train)
    return {"accuracy": accuracy_score(y_test, model.predict(x_test)), "model_type": "RandomForest"}
