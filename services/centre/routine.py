"""Backups again and again, of which the newest are kept; how that goes is told at a port of health."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

from infra.backups import MANIFEST
from services.centre.backup import save
from services.kit import logs
from services.kit.clock import now
from services.kit.health import Health
from services.kit.settings import Settings

log = logging.getLogger("backup")
PATIENCE = 600.0
"""Seconds until a backup that failed is tried again."""


def save_for_ever(folder: Path, hours: float, keep: int) -> None:
    """Save the centre of the environment's settings into `folder` every so many hours; the newest `keep` stay."""
    settings = Settings()
    logs.configure(settings.log_level)
    health = Health("backup", stalled_after=hours * 3600 + 2 * PATIENCE, instance=settings.instance)
    health.serve(settings.health_port, settings.host)
    health.ready()
    while True:
        time.sleep(seconds_left(folder, hours, time.time()))
        target = folder / f"{now():%Y%m%dT%H%M%SZ}"
        try:
            save(settings, target, time.monotonic())
        except Exception as problem:  # whatever it was: the next try may work, and health tells of it
            log.exception("no backup was made in %s", target)
            health.not_ready(f"the last backup failed: {problem}")
            time.sleep(PATIENCE)
            continue
        log.info("saved into %s", target)
        health.ready()
        health.progress()
        forget(folder, keep)


def seconds_left(folder: Path, hours: float, now: float) -> float:
    """Until the next backup is due, `now` in seconds since 1970: none is due at once."""
    newest = max((backup.stat().st_mtime for backup in made(folder)), default=float("-inf"))
    return max(0.0, newest + hours * 3600 - now)


def forget(folder: Path, keep: int) -> None:
    """Remove all backups but the newest `keep`."""
    for old in made(folder)[:-keep]:
        shutil.rmtree(old)


def made(folder: Path) -> list[Path]:
    """The backups in `folder`, oldest first; what else lies there is left alone."""
    return sorted(backup for backup in folder.glob("*T*Z") if (backup / MANIFEST).exists())
