import socket

from toolbox import PLACES, attempt, libc


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        return link.sendto(b"secrets", ("127.0.0.1", PLACES["udp"]))


def ping():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)


attempt("send a datagram", datagram)
attempt("send a ping", ping)
attempt("ask for a name", lambda: socket.getaddrinfo("secrets.example.com", 80))
attempt("ask for a name the old way", lambda: socket.gethostbyname("secrets.example.com"))
attempt("ask for an address", lambda: socket.gethostbyaddr("169.254.169.254"))
attempt("ask by libc", lambda: libc().gethostbyname(b"secrets.example.com"))


def twice(function, x):
    return function(function(x))
