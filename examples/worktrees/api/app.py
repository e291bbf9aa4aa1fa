"""The API: greeting.txt as this worktree's files have it, and as its database has it."""

import os
from pathlib import Path

import psycopg
from flask import Flask, Response, jsonify

app = Flask(__name__)
GREETING = Path(__file__).parent.parent / "greeting.txt"


@app.get("/greeting")
def greeting() -> Response:
    with psycopg.connect(os.environ["DATABASE_URL"]) as database:
        row = database.execute("SELECT text FROM greeting").fetchone()
    answer = jsonify(api=GREETING.read_text(), database=row[0] if row else None)
    # The page comes from another port, and so from another origin.
    answer.headers["Access-Control-Allow-Origin"] = os.environ["WEB_URL"]
    return answer


@app.get("/health")
def health() -> str:
    return "ok"
