"""How a server on this machine is asked over HTTP: straight, whatever proxy the environment names."""

import urllib.request

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
