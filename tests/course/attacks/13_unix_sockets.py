import os
import socket

from toolbox import PLACES, try_to, wire


def connect(address, kind=socket.SOCK_STREAM):
    def deed():
        with socket.socket(socket.AF_UNIX, kind) as link:
            link.connect(address)
            return link.send(b"secrets")

    return deed


def over_the_wire():
    link = socket.socket(fileno=os.dup(wire()))
    return socket.send_fds(link, [b"secrets"], [1])


def received():
    link = socket.socket(fileno=os.dup(wire()))
    return socket.recv_fds(link, 1, 5, socket.MSG_PEEK | socket.MSG_DONTWAIT)


try_to("connect to a unix socket", connect(PLACES["unix"]))
try_to("connect to an abstract socket", connect("\0" + PLACES["abstract"]))
try_to("connect to docker", connect("/var/run/docker.sock"))
try_to("connect to the ssh agent", connect(os.environ.get("SSH_AUTH_SOCK", "/tmp/ssh-agent")))
try_to("connect to the system's log", connect("/dev/log", socket.SOCK_DGRAM))
try_to("make a pair of sockets", lambda: socket.socketpair())
try_to("pass a descriptor to the grader", over_the_wire)
try_to("take a descriptor from the grader", received)
try_to("learn who the grader is", lambda: socket.socket(fileno=os.dup(wire())).getpeername() or "learned")
try_to("bind a name", lambda: socket.socket(fileno=os.dup(wire())).bind("/tmp/PWNED-socket") or "bound")
try_to("make a named pipe", lambda: os.mkfifo("/tmp/PWNED-fifo") or "made")


def twice(function, x):
    return function(function(x))
