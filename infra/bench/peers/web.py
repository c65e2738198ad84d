"""An app that answers a POST with what it was given: `uvicorn web:app`."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/echo")
async def echo(payload: dict):
    return payload


@app.get("/healthz")
async def health():
    return "ok"
