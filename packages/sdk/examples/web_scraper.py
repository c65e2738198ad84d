"""The function of `basic-python-environment.ts`."""

import pandas as pd
import requests
from bs4 import BeautifulSoup


def scrape_and_analyze(url: str) -> dict[str, int]:
    """How many links a page has, and to how many other places."""
    response = requests.get(url)
    soup = BeautifulSoup(response.content, "html.parser")

    links = [a.get("href") for a in soup.find_all("a", href=True)]
    df = pd.DataFrame({"links": links})
    domains = df["links"].apply(lambda link: link.split("/")[2] if link.startswith("http") else None)
    return {"total_links": len(links), "unique_domains": len(domains.dropna().unique())}
