"""Books on a shelf, kept in a database and served over HTTP."""

from fastapi import FastAPI, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool


class Base(DeclarativeBase):
    pass


class Book(Base):
    __tablename__ = "book"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]


engine = create_engine("sqlite://", connect_args={"check_same_thread": False}, poolclass=StaticPool)
Base.metadata.create_all(engine)
app = FastAPI()


@app.post("/books")
def add(title: str) -> int:
    with Session(engine) as session:
        book = Book(title=title)
        session.add(book)
        session.commit()
        return book.id


@app.get("/books/{number}")
def look_up(number: int) -> str:
    with Session(engine) as session:
        title = session.scalar(select(Book.title).where(Book.id == number))
    if title is None:
        raise HTTPException(404, "no such book")
    return title
