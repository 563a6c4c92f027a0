"""`python -m sandbox`: the outside world on this machine, web pages, SMTP and customs, until Ctrl-C."""

import gc
import logging
import signal
import sys
import threading

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.app import create_app
from sandbox.settings import NotAllowed, from_environment
from sandbox.world import World


class Handler(WSGIRequestHandler):
    """Keeps connections open (the portal asks often) and logs nothing but errors."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="sandbox %(levelname)s %(message)s")
    try:
        settings = from_environment()
    except NotAllowed as error:
        sys.exit(str(error))
    world = World(settings)
    server = make_server(settings.address, settings.port, create_app(world), threaded=True, request_handler=Handler)
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)  # messages of a hundred documents are no garbage
    world.start()
    for number in (signal.SIGTERM, signal.SIGINT):  # shutdown() waits for serve_forever(), so not in this thread
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"沙箱（外部世界的替身）：http://{settings.address}:{server.port}/", flush=True)
    server.serve_forever()
    server.server_close()
    world.stop()


if __name__ == "__main__":
    main()
