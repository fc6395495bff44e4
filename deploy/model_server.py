"""llama.cpp's own server from PyPI: one GGUF model behind the OpenAI protocol, with slots side by side."""

import argparse
import signal

import xllamacpp

CONTEXT = 8192
"""Tokens of one slot."""


def main() -> None:
    """Serve until told to stop."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("gguf", help="File of the model.")
    given.add_argument("--name", required=True, help="What clients call it.")
    given.add_argument("--host", default="127.0.0.1")
    given.add_argument("--port", type=int, required=True)
    given.add_argument("--threads", type=int, default=1)
    given.add_argument("--slots", type=int, default=2, help="Calls that are answered side by side.")
    options = given.parse_args()
    server = xllamacpp.Server(parameters(options))
    print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})


def parameters(options: argparse.Namespace) -> "xllamacpp.CommonParams":
    """The server's settings. Figures for Prometheus are at /metrics."""
    chosen = xllamacpp.CommonParams()
    chosen.model.path = options.gguf
    chosen.model_alias = {options.name}
    chosen.hostnames = [options.host]
    chosen.port = options.port
    chosen.n_parallel = options.slots
    chosen.n_ctx = CONTEXT * options.slots
    chosen.cpuparams.n_threads = options.threads
    chosen.cpuparams_batch.n_threads = options.threads
    chosen.endpoint_metrics = True
    return chosen


if __name__ == "__main__":
    main()
