"""For PYTHONPATH: names below `localhost` are this machine (RFC 6761, 6.3), which not every system's resolver knows.

Not 127.0.0.1, which warcprox refuses.
"""

import socket

_getaddrinfo = socket.getaddrinfo


def getaddrinfo(host, *args, **kwargs):
    name = host.decode("ascii") if isinstance(host, bytes) else host
    return _getaddrinfo("127.0.0.2" if name and name.endswith(".localhost") else host, *args, **kwargs)


socket.getaddrinfo = getaddrinfo
