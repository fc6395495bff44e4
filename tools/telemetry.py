"""OpenTelemetry: spans for what no instrumentation sees, and the official one of LangChain; off unless asked.

Names follow the conventions for databases (stable) and generative AI (in development, v0.1.0); what neither
names begins with `critiql.`. No question, no SQL and no cell is told, unless the environment variable of the
instrumentation, `CONTENT`, asks for content.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from threading import Lock
from typing import Any

from critiql.tools.exceptions import USAGE, CritiqlError

CONTENT = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""Where this is set, and says neither false nor no content, queries are told too."""
INSTRUMENTATION = "opentelemetry.instrumentation.genai.langchain"
"""The official one of LangChain: a span a graph and a span a chat model."""

Attributes = Mapping[str, "str | int | float | bool"]

_tracer: Any = None
_starting = Lock()


class TelemetryError(CritiqlError):
    """OpenTelemetry was asked for and is not installed."""

    exit_code = USAGE


def start_if_asked() -> None:
    """Begin to trace where the setting `otel` says so; once a process.

    Raises:
        TelemetryError: it is not installed.
    """
    from critiql.tools.settings import settings

    if settings().otel:
        start()


def start(provider: Any = None) -> None:
    """Begin to trace; once a process.

    Args:
        provider: a tracer provider; without one that of the application, or one that exports by OTLP over
            HTTP to where `OTEL_EXPORTER_OTLP_ENDPOINT` says.

    Raises:
        TelemetryError: it is not installed.
    """
    global _tracer
    with _starting:
        if _tracer is not None:
            return
        try:
            instrumentor = import_module(
                "opentelemetry.instrumentation.genai.langchain"
            ).LangChainInstrumentor
            given = provider or _provider()
        except ModuleNotFoundError as error:
            raise TelemetryError(
                f"Tracing needs the extra otel ({error.name} is missing). Run: pip install 'critiql[otel]'"
            ) from error
        instrumentor().instrument(tracer_provider=given)
        _tracer = given.get_tracer("critiql")


def stop() -> None:
    """Trace no more; what was told is exported by the provider."""
    global _tracer
    with _starting:
        if _tracer is not None:
            import_module(
                "opentelemetry.instrumentation.genai.langchain"
            ).LangChainInstrumentor().uninstrument()
        _tracer = None


@contextmanager
def span(name: str, attributes: Attributes) -> Iterator[Callable[[Attributes], None]]:
    """A span around a block; yields what adds attributes to it. Without tracing, nothing at all."""
    if _tracer is None:
        yield lambda _more: None
        return
    with _tracer.start_as_current_span(name, attributes=dict(attributes)) as current:
        yield lambda more: current.set_attributes(dict(more))


@contextmanager
def client_span(name: str, attributes: Attributes) -> Iterator[Callable[[Attributes, bool], None]]:
    """A span of a call to another system; yields what adds attributes, and marks it as failed."""
    trace = import_module("opentelemetry.trace")
    with _tracer.start_as_current_span(
        name, kind=trace.SpanKind.CLIENT, attributes=dict(attributes)
    ) as current:

        def tell(more: Attributes, failed: bool) -> None:
            current.set_attributes(dict(more))
            if failed:
                current.set_status(trace.StatusCode.ERROR)

        yield tell


def is_on() -> bool:
    """Whether spans are made."""
    return _tracer is not None


def tells_content() -> bool:
    """Whether the user asked for content in spans."""
    return os.environ.get(CONTENT, "").lower() not in ("", "false", "no_content")


def _provider() -> Any:
    """The application's own provider, or one that exports by OTLP."""
    trace = import_module("opentelemetry.trace")
    sdk = import_module("opentelemetry.sdk.trace")
    if isinstance(known := trace.get_tracer_provider(), sdk.TracerProvider):
        return known
    resources = import_module("opentelemetry.sdk.resources")
    exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
    name = os.environ.get("OTEL_SERVICE_NAME", "critiql")
    made = sdk.TracerProvider(resource=resources.Resource.create({"service.name": name}))
    made.add_span_processor(import_module("opentelemetry.sdk.trace.export").BatchSpanProcessor(exporter))
    trace.set_tracer_provider(made)
    return made
