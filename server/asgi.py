"""The application under the name that langgraph.json and aegra.json give (`http.app`)."""

from critiql.server.app import make_app
from critiql.server.offer import offered

app = make_app(offered())
