"""The application under the name that langgraph.json and aegra.json give (`http.app`)."""

from critiql.server.app import make_app

app = make_app()
