# /// script
# dependencies = ["fastapi", "uvicorn"]
# ///
"""A shop's order service, as small as it can be. Run as `python service.py ADDRESS PORT`."""

import sys

import uvicorn
from fastapi import FastAPI

app = FastAPI()
orders: dict[str, str] = {}


@app.put("/orders/{number}")
def place(number: str, item: str) -> dict[str, str]:
    """Keep an order; the same order again changes nothing."""
    orders[number] = item
    return {"number": number, "item": item}


if __name__ == "__main__":
    # Connections end after two idle seconds: one that is kept warm for minutes hides what DNS says.
    uvicorn.run(app, host=sys.argv[1], port=int(sys.argv[2]), timeout_keep_alive=2, log_level="warning")
