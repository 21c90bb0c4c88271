"""A TCP proxy before a database that can lose one answer: the request arrives, its answer never does."""

import socket
import threading
from typing import Self


class CuttingProxy:
    """Forwards the loopback to a server. After `lose_answer(mark)`, the connection on which a client sends `mark`
    is cut when the server begins to answer that request."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._mark: bytes | None = None
        self.cut = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def lose_answer(self, mark: bytes) -> None:
        self._mark = mark

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            _end(each)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            self._sockets += [client, server]
            armed = threading.Event()
            for pump in (self._requests, self._answers):
                thread = threading.Thread(target=pump, args=(client, server, armed))
                self._threads.append(thread)
                thread.start()

    def _requests(self, client: socket.socket, server: socket.socket, armed: threading.Event) -> None:
        while data := _receive(client):
            if self._mark is not None and self._mark in data:
                self._mark = None
                armed.set()
            if not _send(server, data):
                break
        _end(server)

    def _answers(self, client: socket.socket, server: socket.socket, armed: threading.Event) -> None:
        while data := _receive(server):
            if armed.is_set():
                self.cut.set()
                break
            if not _send(client, data):
                break
        _end(client)
        _end(server)


def _receive(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


def _send(target: socket.socket, data: bytes) -> bool:
    try:
        target.sendall(data)
    except OSError:
        return False
    return True


def _end(each: socket.socket) -> None:
    try:
        each.shutdown(socket.SHUT_RDWR)
    except OSError:  # ended before
        return
    finally:
        each.close()
