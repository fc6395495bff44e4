"""The application that the server mounts beside the LangGraph API: the page, /api, /v1 and /mcp.

The same application runs on a cluster (`http.app` of langgraph.json or aegra.json). What it offers is read
from the environment, where `critiql serve` writes it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from critiql.server import openai_api, routes
from critiql.server.auth import Guard
from critiql.server.failures import tell
from critiql.tools.served import Served, served

PAGE = Path(__file__).parent / "page"
"""The page's built files."""
NO_PAGE = "The page is not in this installation. Build it in web/ with `npm ci && npm run build`."
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Page(StaticFiles):
    """The page's files, with a policy that lets nothing in from elsewhere."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def make_app(offered: Served | None = None) -> FastAPI:
    """The application.

    Args:
        offered: what may be asked for; without it what the environment says, or else nothing but the sample
            database, for this machine alone.
    """
    offered = offered or served() or Served(databases={})
    mcp = mcp_app()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if mcp is None:
            yield
            return
        async with mcp.router.lifespan_context(mcp):
            yield

    app = FastAPI(title="Critiql", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    tell(app)
    app.include_router(routes.router)
    app.include_router(openai_api.router)
    if mcp is not None:
        app.router.routes.extend(mcp.routes)
    if (PAGE / "index.html").is_file():
        app.mount("/page", Page(directory=PAGE, html=True), name="page")
    else:
        app.add_api_route("/page/", lambda: Response(NO_PAGE, 404, media_type="text/plain"))
    app.add_api_route("/", lambda: RedirectResponse("/page/"), include_in_schema=False)
    app.add_middleware(Guard, served=offered)
    return app


def make_mcp_app() -> FastAPI:
    """An application with the Model Context Protocol alone."""
    offered, mcp = served() or Served(databases={}), mcp_app()
    app = FastAPI(lifespan=lambda _: mcp.router.lifespan_context(mcp), docs_url=None, openapi_url=None)
    app.router.routes.extend(mcp.routes)
    app.add_middleware(Guard, served=offered)
    return app


def mcp_app() -> Any:
    """The application of the Model Context Protocol; None where its package is not installed."""
    if find_spec("mcp") is None or find_spec("mcp.server.mcpserver") is None:
        return None
    from mcp.server.transport_security import TransportSecuritySettings

    from critiql.server.mcp import make_server

    # The guard of this application looks at hosts and origins, of every door alike.
    lenient = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return make_server().streamable_http_app(streamable_http_path="/mcp", transport_security=lenient)
