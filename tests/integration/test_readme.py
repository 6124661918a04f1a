"""What the README has people send, pasted twice as people do: it is taken both times, and counts once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

import psycopg
from support import output_of, serving, wait_until_idle

from infra.local.paths import CHECKOUT
from infra.local.servers import Instance
from services.centre.prepare import settings_of

SENT = "SELECT count(*) FROM event WHERE source IN ('/readme', '/tram-y-te') OR id LIKE '%HELLO%'"


def sending(centre: Instance) -> str:
    """Its blocks that send something, as commands against a centre of the tests."""
    text = (CHECKOUT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    found = [block for block in blocks if "./ioc emit\n" in block or "curl" in block]
    assert len(found) == 3
    script = "".join(found).replace("./ioc ", f"{sys.executable} -m services.cli ")
    script = script.replace("sleep 3 ", "sleep 20 ")  # a busy machine may take its time
    script = script.replace("127.0.0.1:8010", f"127.0.0.1:{centre.ports['emitters']}")
    return script.replace(".ioc/demo/secrets", str(centre.secrets)).replace("curl -s", "curl -sSf")


def test_what_the_readme_sends_is_taken_twice_and_counts_once(centre: Instance) -> None:
    env = {**os.environ, "IOC_HOME": str(centre.data.parent), "IOC_INSTANCE": centre.data.name, "no_proxy": "127.0.0.1"}
    with serving(centre, "aggregator", "emitters"):
        wait_until_idle(centre)
        refused = output_of(centre, "quarantine", "list")
        for _ in range(2):
            run = ["bash", "-e", "-o", "pipefail", "-c", sending(centre)]
            done = subprocess.run(run, env=env, cwd=CHECKOUT, capture_output=True, text=True, timeout=900, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            time.sleep(1.1)  # a second paste is a later one
        wait_until_idle(centre)
    with psycopg.connect(settings_of(centre, "cli").database("reader")) as conn:
        assert conn.execute(SENT).fetchone() == (3,)
    assert output_of(centre, "quarantine", "list") == refused, "nothing of it is a conflict with itself"
