"""The reference of the backend's figures: one route of FastAPI alone, on the same server settings.

`python -m benchmarks.bare` serves it on a free port and prints its address when it answers.
"""

from __future__ import annotations

import asyncio
import socket

import uvicorn
from fastapi import FastAPI

__all__ = ["make_app"]


def make_app() -> FastAPI:
    """An application that does nothing."""
    app = FastAPI()

    @app.get("/")
    def nothing() -> dict[str, str]:
        return {"status": "ready"}

    return app


async def _serve() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            make_app(), log_config=None, access_log=False, lifespan="off", ws="none", server_header=False
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        while not server.started:  # noqa: ASYNC110  # the server has no event for it
            await asyncio.sleep(0)
        print(f"http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
        await serving


if __name__ == "__main__":
    asyncio.run(_serve())
