import socket

from toolbox import PLACES, libc, try_to


def datagram():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        return link.sendto(b"secrets", ("127.0.0.1", PLACES["udp"]))


def ping():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)


try_to("send a datagram", datagram)
try_to("send a ping", ping)
try_to("ask for a name", lambda: socket.getaddrinfo("secrets.example.com", 80))
try_to("ask for a name the old way", lambda: socket.gethostbyname("secrets.example.com"))
try_to("ask for an address", lambda: socket.gethostbyaddr("169.254.169.254"))
try_to("ask by libc", lambda: libc().gethostbyname(b"secrets.example.com"))


def twice(function, x):
    return function(function(x))
