"""Listening on the loopback interface only: LocalStack's server ignores the address of `GATEWAY_LISTEN`."""


def install():
    from twisted.internet import endpoints

    listen = endpoints.TCP4ServerEndpoint.__init__

    def listen_on_loopback(self, reactor, port, backlog=50, interface=""):
        listen(self, reactor, port, backlog, interface or "127.0.0.1")

    endpoints.TCP4ServerEndpoint.__init__ = listen_on_loopback
