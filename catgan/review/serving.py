"""Serving the page until somebody stops it."""

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from catgan.core.errors import BadUsage, MissingPackage
from catgan.review.guard import App, Guard

STARTING = 20.0  # seconds that the server may take to start
ENDING = 5.0  # seconds that it may take to end
MOST_PORT = 65535


def check_packages() -> None:
    """That what serves pages is installed.

    Raises:
        MissingPackage: It is not.
    """
    try:
        import starlette
        import uvicorn
    except ImportError as error:
        raise MissingPackage(
            "The page needs two small packages: pip install 'starlette>=0.40' 'uvicorn>=0.30'. "
            "Or write it as one file, which needs none: --page review.html"
        ) from error
    assert starlette and uvicorn


@contextmanager
def served(app: App, *, host: str, port: int) -> Iterator[str]:
    """Serve an app, guarded, while the block runs.

    Args:
        app: What answers.
        host: The address to listen at.
        port: Likewise; 0 for one that is free.

    Yields:
        The address to open, with its token.

    Raises:
        BadUsage: Nothing can be served there.
    """
    import uvicorn

    listener = _listen(host, port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        Guard(app, token=token, host=host, port=port),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    # in a thread of its own it leaves the signals alone: Ctrl-C is the command line's affair
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + STARTING
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        name = f"[{host}]" if ":" in host else host
        if name in ("0.0.0.0", "[::]"):
            name = _own_address()
        yield f"http://{name}:{port}/?token={token}"
    finally:
        server.should_exit = True
        thread.join(ENDING)
        listener.close()


def wait_for(ended: Callable[[], bool] = lambda: False) -> None:
    """Until something has ended, or somebody presses Ctrl-C."""
    while not ended():
        time.sleep(0.2)


def _own_address() -> str:
    """This machine's address in its network, for others to open."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # of the addresses kept free for examples (RFC 5737); nothing is sent to it
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()


def _listen(host: str, port: int) -> socket.socket:
    if not 0 <= port <= MOST_PORT:
        raise BadUsage(f"--port is {port}; it may be 0 to {MOST_PORT}.")
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(kind, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise BadUsage(
            f"The page cannot be served at {host}:{port} ({error.strerror}); "
            "choose another --port, or leave it out."
        ) from error
    return listener
