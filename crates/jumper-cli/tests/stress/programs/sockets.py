"""TCP, UDP and Unix sockets between threads, out-of-band data (SIGURG's own trade), a selector."""

import hashlib
import selectors
import socket
import threading

from theme import repeat


def serve(listener):
    with listener.accept()[0] as connection:
        while data := connection.recv(4096):
            connection.sendall(data[::-1])


def tcp():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        digest = hashlib.sha256()
        with socket.create_connection(listener.getsockname()) as client:
            for number in range(200):
                message = bytes([number % 251]) * (number * 17 % 4000 + 1)
                client.sendall(message)
                got = b""
                while len(got) < len(message):
                    got += client.recv(65536)
                digest.update(got)
        thread.join()
    return digest.hexdigest()


def out_of_band():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server = listener.accept()[0]
        with client, server, selectors.DefaultSelector() as selector:
            client.send(b"a")
            client.send(b"!", socket.MSG_OOB)
            selector.register(server, selectors.EVENT_READ)
            selector.select(1)
            return server.recv(1), server.recv(1, socket.MSG_OOB)


def datagrams():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other:
        other.settimeout(0.002)
        total = 0
        for number in range(100):
            one.send(bytes(number))
            total += len(other.recv(1000))
        try:
            other.recv(1)
        except TimeoutError:
            return total, "timeout"
        except socket.timeout:
            return total, "timeout"
    return total


def round_():
    return tcp(), out_of_band(), datagrams()


repeat(round_)
