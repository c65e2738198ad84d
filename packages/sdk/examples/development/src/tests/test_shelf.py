from fastapi.testclient import TestClient

from src.shelf import app

client = TestClient(app)


def test_a_book_that_was_added_is_found():
    number = client.post("/books", params={"title": "Middlemarch"}).json()
    assert client.get(f"/books/{number}").json() == "Middlemarch"


def test_a_book_that_was_not_added_is_not():
    assert client.get("/books/0").status_code == 404
